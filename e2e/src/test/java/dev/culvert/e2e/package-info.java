/// Tests of the whole mesh: the built programs on two nodes, seen from pods and from the wire.
@NullMarked
package dev.culvert.e2e;

import org.jspecify.annotations.NullMarked;
