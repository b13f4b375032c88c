/// Runs the main job before the user's eyes and checks each step.
@NullMarked
package dev.culvert.cli.demo;

import org.jspecify.annotations.NullMarked;
