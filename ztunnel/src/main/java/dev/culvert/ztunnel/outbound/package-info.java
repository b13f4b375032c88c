/// Connections that captured pods open.
@NullMarked
package dev.culvert.ztunnel.outbound;

import org.jspecify.annotations.NullMarked;
