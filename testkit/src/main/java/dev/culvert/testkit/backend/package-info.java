/// What a mesh stands on: pods with sockets, a wire between nodes, and faults.
@NullMarked
package dev.culvert.testkit.backend;

import org.jspecify.annotations.NullMarked;
