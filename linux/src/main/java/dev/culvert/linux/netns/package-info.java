/// Enters network namespaces and tells them apart.
@NullMarked
package dev.culvert.linux.netns;

import org.jspecify.annotations.NullMarked;
