/// The program: configuration and wiring.
@NullMarked
package dev.culvert.istiod.app;

import org.jspecify.annotations.NullMarked;
