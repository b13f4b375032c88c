/// HBONE connections that come in, and what each of their tunnels carries.
@NullMarked
package dev.culvert.waypoint.listener;

import org.jspecify.annotations.NullMarked;
