/// The commands of `culvert`.
@NullMarked
package dev.culvert.cli;

import org.jspecify.annotations.NullMarked;
