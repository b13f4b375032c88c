/// The program: configuration, wiring, admin.
@NullMarked
package dev.culvert.ztunnel.app;

import org.jspecify.annotations.NullMarked;
