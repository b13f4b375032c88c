/// Knows who is to be captured, and makes it so.
@NullMarked
package dev.culvert.agent.pods;

import org.jspecify.annotations.NullMarked;
