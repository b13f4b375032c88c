/// The program.
@NullMarked
package dev.culvert.waypoint.app;

import org.jspecify.annotations.NullMarked;
