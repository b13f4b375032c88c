/// HTTP/2 as far as CONNECT tunnels use it: frames, streams, credit.
@NullMarked
package dev.culvert.hbone.codec;

import org.jspecify.annotations.NullMarked;
