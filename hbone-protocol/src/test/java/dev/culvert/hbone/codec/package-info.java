/// The codec against scripted peers.
@NullMarked
package dev.culvert.hbone.codec;

import org.jspecify.annotations.NullMarked;
