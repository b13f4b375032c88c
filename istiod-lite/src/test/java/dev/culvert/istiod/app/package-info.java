/// The program, started again.
@NullMarked
package dev.culvert.istiod.app;

import org.jspecify.annotations.NullMarked;
