/// Reads a cluster's objects from its API server and hands out what they say now.
@NullMarked
package dev.culvert.kube.client;

import org.jspecify.annotations.NullMarked;
