/// Whether a token that a request carries is good, and what it says.
@NullMarked
package dev.culvert.waypoint.token;

import org.jspecify.annotations.NullMarked;
