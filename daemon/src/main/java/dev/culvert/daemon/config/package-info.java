/// Reads a process's settings from its environment, all mistakes at once.
@NullMarked
package dev.culvert.daemon.config;

import org.jspecify.annotations.NullMarked;
