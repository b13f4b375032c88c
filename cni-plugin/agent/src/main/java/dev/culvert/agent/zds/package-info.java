/// Tells ztunnel which pods to serve, and hands over their network namespaces.
@NullMarked
package dev.culvert.agent.zds;

import org.jspecify.annotations.NullMarked;
