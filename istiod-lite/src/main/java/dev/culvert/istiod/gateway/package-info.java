/// Deploys waypoints: what each Gateway of our classes needs, and the classes themselves.
@NullMarked
package dev.culvert.istiod.gateway;

import org.jspecify.annotations.NullMarked;
