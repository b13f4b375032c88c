/// Shows what a ztunnel knows as tables.
@NullMarked
package dev.culvert.cli.view;

import org.jspecify.annotations.NullMarked;
