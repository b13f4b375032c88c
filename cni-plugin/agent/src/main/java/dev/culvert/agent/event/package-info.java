/// Hears from the CNI plugin which pods the container runtime starts and ends.
@NullMarked
package dev.culvert.agent.event;

import org.jspecify.annotations.NullMarked;
