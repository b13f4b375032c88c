/// What the API server asks before it takes an object.
@NullMarked
package dev.culvert.istiod.admission;

import org.jspecify.annotations.NullMarked;
