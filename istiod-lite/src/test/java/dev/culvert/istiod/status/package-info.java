/// Tests.
@NullMarked
package dev.culvert.istiod.status;

import org.jspecify.annotations.NullMarked;
