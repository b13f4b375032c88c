/// The delta xDS client.
@NullMarked
package dev.culvert.proxy.xds;

import org.jspecify.annotations.NullMarked;
