/// The program in the pods of the corpus: image `mesh-echo:test`. It needs nothing but a Java runtime.
@NullMarked
package dev.culvert.e2e.kube.echo;

import org.jspecify.annotations.NullMarked;
