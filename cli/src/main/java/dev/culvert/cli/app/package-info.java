/// The small programs that run in the pods of examples and tests.
@NullMarked
package dev.culvert.cli.app;

import org.jspecify.annotations.NullMarked;
