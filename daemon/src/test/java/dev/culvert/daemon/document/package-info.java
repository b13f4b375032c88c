/// Keeps documents that are made from code true.
@NullMarked
package dev.culvert.daemon.document;

import org.jspecify.annotations.NullMarked;
