/// Puts the CNI plugin into the container runtime's configuration, and keeps it there.
@NullMarked
package dev.culvert.agent.install;

import org.jspecify.annotations.NullMarked;
