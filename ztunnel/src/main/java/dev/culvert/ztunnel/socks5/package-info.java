/// SOCKS5 for applications that speak it.
@NullMarked
package dev.culvert.ztunnel.socks5;

import org.jspecify.annotations.NullMarked;
