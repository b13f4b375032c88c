/// Tests of what names mean.
@NullMarked
package dev.culvert.ztunnel.dns.lookup;

import org.jspecify.annotations.NullMarked;
