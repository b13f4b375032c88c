/// Signing: workload certificates, our own serving certificate, node tokens.
@NullMarked
package dev.culvert.istiod.ca;

import org.jspecify.annotations.NullMarked;
