/// The control plane as its clients see it.
@NullMarked
package dev.culvert.istiod;

import org.jspecify.annotations.NullMarked;
