/// Tells authors, in the status of what they wrote, what became of it.
@NullMarked
package dev.culvert.istiod.status;

import org.jspecify.annotations.NullMarked;
