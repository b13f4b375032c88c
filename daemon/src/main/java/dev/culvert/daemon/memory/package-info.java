/// Keeps a process small.
@NullMarked
package dev.culvert.daemon.memory;

import org.jspecify.annotations.NullMarked;
