/// Signs certificates and tokens, and checks who asks.
@NullMarked
package dev.culvert.istiod.ca;

import org.jspecify.annotations.NullMarked;
