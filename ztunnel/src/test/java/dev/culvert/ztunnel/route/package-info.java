/// Tests.
@NullMarked
package dev.culvert.ztunnel.route;

import org.jspecify.annotations.NullMarked;
