/// The opening of one CONNECT tunnel.
@NullMarked
package dev.culvert.hbone.tunnel;

import org.jspecify.annotations.NullMarked;
