/// Pods of this node: their sockets, listeners and hand-over by ZDS.
@NullMarked
package dev.culvert.ztunnel.inpod;

import org.jspecify.annotations.NullMarked;
