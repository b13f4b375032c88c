/// Authorization rules and their evaluation, which returns the deciding rule.
@NullMarked
package dev.culvert.mesh.model.policy;

import org.jspecify.annotations.NullMarked;
