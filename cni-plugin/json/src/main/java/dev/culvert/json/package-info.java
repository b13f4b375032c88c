/// Reads and writes JSON (RFC 8259), strictly and within limits, for a program whose whole life is shorter than
/// a library's start.
@NullMarked
package dev.culvert.json;

import org.jspecify.annotations.NullMarked;
