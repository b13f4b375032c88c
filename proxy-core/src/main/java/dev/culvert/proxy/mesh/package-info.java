/// The current snapshot of the mesh, and its last good state on disk.
@NullMarked
package dev.culvert.proxy.mesh;

import org.jspecify.annotations.NullMarked;
