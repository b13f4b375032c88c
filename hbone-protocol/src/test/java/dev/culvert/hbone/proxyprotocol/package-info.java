/// The header of application tunnels, byte for byte.
@NullMarked
package dev.culvert.hbone.proxyprotocol;

import org.jspecify.annotations.NullMarked;
