/// What the controller says of the Services that are governed here.
@NullMarked
package dev.culvert.waypoint.config;

import org.jspecify.annotations.NullMarked;
