/// Tests.
@NullMarked
package dev.culvert.istiod.ca;

import org.jspecify.annotations.NullMarked;
