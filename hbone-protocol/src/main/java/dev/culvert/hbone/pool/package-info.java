/// Which HBONE connection carries a new stream.
@NullMarked
package dev.culvert.hbone.pool;

import org.jspecify.annotations.NullMarked;
