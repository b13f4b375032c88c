/// The DNS proxy of pods: answers what the mesh knows, and passes on what it does not.
@NullMarked
package dev.culvert.ztunnel.dns;

import org.jspecify.annotations.NullMarked;
