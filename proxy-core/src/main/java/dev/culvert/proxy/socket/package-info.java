/// What sockets of the proxies need beyond Netty.
@NullMarked
package dev.culvert.proxy.socket;

import org.jspecify.annotations.NullMarked;
