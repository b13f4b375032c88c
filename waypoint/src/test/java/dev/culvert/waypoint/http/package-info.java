/// Requests through a whole waypoint in this process, on real sockets.
@NullMarked
package dev.culvert.waypoint.http;

import org.jspecify.annotations.NullMarked;
