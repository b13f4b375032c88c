@NullMarked
package dev.culvert.istiod.admission;

import org.jspecify.annotations.NullMarked;
