/// Every way in which a connection can fail.
@NullMarked
package dev.culvert.hbone.failure;

import org.jspecify.annotations.NullMarked;
