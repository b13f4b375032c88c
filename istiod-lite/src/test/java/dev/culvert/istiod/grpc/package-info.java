@NullMarked
package dev.culvert.istiod.grpc;

import org.jspecify.annotations.NullMarked;
