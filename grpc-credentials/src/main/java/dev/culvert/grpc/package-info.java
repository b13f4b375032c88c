/// What an application in Java needs beside grpc-java to be a client of the control plane.
@NullMarked
package dev.culvert.grpc;

import org.jspecify.annotations.NullMarked;
