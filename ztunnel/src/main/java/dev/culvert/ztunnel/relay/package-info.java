/// Bytes both ways, and the live connections.
@NullMarked
package dev.culvert.ztunnel.relay;

import org.jspecify.annotations.NullMarked;
