/// What a name means to a client of the mesh; pure.
@NullMarked
package dev.culvert.ztunnel.dns.lookup;

import org.jspecify.annotations.NullMarked;
