/// Owns file descriptors.
@NullMarked
package dev.culvert.linux.fd;

import org.jspecify.annotations.NullMarked;
