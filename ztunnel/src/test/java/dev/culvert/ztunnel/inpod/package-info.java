/// Tests of pods' hand-over.
@NullMarked
package dev.culvert.ztunnel.inpod;

import org.jspecify.annotations.NullMarked;
