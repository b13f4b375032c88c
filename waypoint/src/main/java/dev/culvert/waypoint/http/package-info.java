/// Requests and their answers.
@NullMarked
package dev.culvert.waypoint.http;

import org.jspecify.annotations.NullMarked;
