/// Says as values which packets of a pod go to the proxy; pure.
@NullMarked
package dev.culvert.agent.rules;

import org.jspecify.annotations.NullMarked;
