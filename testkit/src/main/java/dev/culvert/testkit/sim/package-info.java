/// A network in one JVM with TCP's semantics, on which faults can be switched on.
@NullMarked
package dev.culvert.testkit.sim;

import org.jspecify.annotations.NullMarked;
