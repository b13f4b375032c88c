/// Gateways at the edge of the mesh: what their listeners take, and which routes are attached to them; pure.
@NullMarked
package dev.culvert.istiod.ingress;

import org.jspecify.annotations.NullMarked;
