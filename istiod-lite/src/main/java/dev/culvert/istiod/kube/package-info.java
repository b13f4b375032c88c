/// What the controller asks of an API server and writes to it, other than what [dev.culvert.kube.client] reads.
@NullMarked
package dev.culvert.istiod.kube;

import org.jspecify.annotations.NullMarked;
