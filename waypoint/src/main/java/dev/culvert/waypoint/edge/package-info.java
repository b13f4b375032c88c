/// A gateway at the edge of the mesh: its listeners, their certificates, and connections of clients without identity.
@NullMarked
package dev.culvert.waypoint.edge;

import org.jspecify.annotations.NullMarked;
