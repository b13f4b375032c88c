/// Tests of the DNS proxy.
@NullMarked
package dev.culvert.ztunnel.dns;

import org.jspecify.annotations.NullMarked;
