/// Whether a request may pass; pure.
@NullMarked
package dev.culvert.waypoint.policy;

import org.jspecify.annotations.NullMarked;
