/// Plaintext connections to captured pods.
@NullMarked
package dev.culvert.ztunnel.passthrough;

import org.jspecify.annotations.NullMarked;
