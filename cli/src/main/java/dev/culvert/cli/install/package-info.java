/// Installs the mesh in a Kubernetes cluster, removes it, and says whether it is well.
@NullMarked
package dev.culvert.cli.install;

import org.jspecify.annotations.NullMarked;
