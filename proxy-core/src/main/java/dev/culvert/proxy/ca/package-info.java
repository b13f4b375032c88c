/// Workload certificates: fetched, kept, renewed.
@NullMarked
package dev.culvert.proxy.ca;

import org.jspecify.annotations.NullMarked;
