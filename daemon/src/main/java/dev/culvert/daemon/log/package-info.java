/// Writes log lines in Istio's plain and JSON forms, with levels that change at run time.
@NullMarked
package dev.culvert.daemon.log;

import org.jspecify.annotations.NullMarked;
