/// Headers in every spelling.
@NullMarked
package dev.culvert.hbone.headers;

import org.jspecify.annotations.NullMarked;
