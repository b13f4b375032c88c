/// Certificates, trust and the check of the peer.
@NullMarked
package dev.culvert.hbone.tls;

import org.jspecify.annotations.NullMarked;
