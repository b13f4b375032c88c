/// Finds processes of a node by its `/proc`.
@NullMarked
package dev.culvert.linux.process;

import org.jspecify.annotations.NullMarked;
