/// Traces: whose part a request is, what is told onward, and spans for a collector.
@NullMarked
package dev.culvert.waypoint.trace;

import org.jspecify.annotations.NullMarked;
