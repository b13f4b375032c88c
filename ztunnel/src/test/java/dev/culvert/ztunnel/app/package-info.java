/// Tests of the data path on real sockets.
@NullMarked
package dev.culvert.ztunnel.app;

import org.jspecify.annotations.NullMarked;
