/// Turns YAML into objects, strictly, and names what is wrong by file and line.
@NullMarked
package dev.culvert.kube.read;

import org.jspecify.annotations.NullMarked;
