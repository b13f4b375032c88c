/// Declares a process's metrics and writes them as OpenMetrics text.
@NullMarked
package dev.culvert.daemon.metrics;

import org.jspecify.annotations.NullMarked;
