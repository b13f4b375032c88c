/// Where a connection goes; pure.
@NullMarked
package dev.culvert.ztunnel.route;

import org.jspecify.annotations.NullMarked;
