/// Tests of the waypoint as a whole, and what they share.
@NullMarked
package dev.culvert.waypoint;

import org.jspecify.annotations.NullMarked;
