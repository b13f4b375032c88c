/// Tests of DNS messages.
@NullMarked
package dev.culvert.ztunnel.dns.message;

import org.jspecify.annotations.NullMarked;
