/// Metric names and the access log.
@NullMarked
package dev.culvert.proxy.telemetry;

import org.jspecify.annotations.NullMarked;
