@NullMarked
package dev.culvert.linux.process;

import org.jspecify.annotations.NullMarked;
