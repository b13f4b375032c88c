/// What gRPC clients and servers are told that need no proxy: listeners, routes, clusters and endpoints.
@NullMarked
package dev.culvert.istiod.grpc;

import org.jspecify.annotations.NullMarked;
