/// Says how a call of the kernel failed.
@NullMarked
package dev.culvert.linux;

import org.jspecify.annotations.NullMarked;
