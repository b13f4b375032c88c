/// Serves a process's small HTTP pages: readiness, metrics, dumps.
@NullMarked
package dev.culvert.daemon.admin;

import org.jspecify.annotations.NullMarked;
