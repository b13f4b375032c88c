/// Runs a mesh on this machine: network namespaces stand for nodes and pods.
@NullMarked
package dev.culvert.cli.local;

import org.jspecify.annotations.NullMarked;
