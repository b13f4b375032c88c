/// Network namespaces as nodes and pods, with the agent's own redirection.
@NullMarked
package dev.culvert.testkit.netns;

import org.jspecify.annotations.NullMarked;
