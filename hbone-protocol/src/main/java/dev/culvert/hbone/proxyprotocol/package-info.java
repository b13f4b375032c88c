/// The PROXY protocol, version 2, as application tunnels use it.
@NullMarked
package dev.culvert.hbone.proxyprotocol;

import org.jspecify.annotations.NullMarked;
