/// A mesh in a few lines, and what tests ask of it.
@NullMarked
package dev.culvert.testkit;

import org.jspecify.annotations.NullMarked;
