/// Ends a process in order, once.
@NullMarked
package dev.culvert.daemon.shutdown;

import org.jspecify.annotations.NullMarked;
