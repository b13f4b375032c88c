/// Fuzz targets, and what runs them within the tests.
@NullMarked
package dev.culvert.mesh.model.fuzz;

import org.jspecify.annotations.NullMarked;
