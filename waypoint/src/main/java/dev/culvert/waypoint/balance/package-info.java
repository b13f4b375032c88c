/// Which endpoint a request goes to, and how much goes there at once; pure but for counters.
@NullMarked
package dev.culvert.waypoint.balance;

import org.jspecify.annotations.NullMarked;
