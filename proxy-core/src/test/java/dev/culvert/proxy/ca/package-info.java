/// Certificates and revocation.
@NullMarked
package dev.culvert.proxy.ca;

import org.jspecify.annotations.NullMarked;
