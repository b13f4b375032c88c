/// When to try again.
@NullMarked
package dev.culvert.daemon.retry;

import org.jspecify.annotations.NullMarked;
