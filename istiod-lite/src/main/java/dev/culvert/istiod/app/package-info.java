/// Wires the control plane's parts into a program.
@NullMarked
package dev.culvert.istiod.app;

import org.jspecify.annotations.NullMarked;
