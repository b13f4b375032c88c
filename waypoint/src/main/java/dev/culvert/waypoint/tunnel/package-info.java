/// Tunnels that come in, as channels of bytes.
@NullMarked
package dev.culvert.waypoint.tunnel;

import org.jspecify.annotations.NullMarked;
