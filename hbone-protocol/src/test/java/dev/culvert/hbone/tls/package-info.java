/// TLS and trust, with real keys.
@NullMarked
package dev.culvert.hbone.tls;

import org.jspecify.annotations.NullMarked;
