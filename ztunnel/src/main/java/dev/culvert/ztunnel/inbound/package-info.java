/// HBONE connections to captured pods.
@NullMarked
package dev.culvert.ztunnel.inbound;

import org.jspecify.annotations.NullMarked;
