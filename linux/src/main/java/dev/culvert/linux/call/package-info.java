/// Calls libc through the FFM API; nothing outside this module uses it.
@NullMarked
package dev.culvert.linux.call;

import org.jspecify.annotations.NullMarked;
