/// Tests.
@NullMarked
package dev.culvert.istiod.gateway;

import org.jspecify.annotations.NullMarked;
