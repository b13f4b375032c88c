/// Wires the agent's process.
@NullMarked
package dev.culvert.agent.app;

import org.jspecify.annotations.NullMarked;
