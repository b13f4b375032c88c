/// DNS messages as bytes (RFC 1035, RFC 6891): questions in, answers out; pure.
@NullMarked
package dev.culvert.ztunnel.dns.message;

import org.jspecify.annotations.NullMarked;
