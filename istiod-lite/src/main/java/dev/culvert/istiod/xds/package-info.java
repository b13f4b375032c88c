/// The delta xDS server.
@NullMarked
package dev.culvert.istiod.xds;

import org.jspecify.annotations.NullMarked;
