/// The headers of a CONNECT: authority, baggage, forwarded, traceparent.
@NullMarked
package dev.culvert.hbone.headers;

import org.jspecify.annotations.NullMarked;
