package dev.culvert.testkit.sim;

import java.util.function.Consumer;

/// A listening port of a pod.
/// @param onAccept gets each new connection with the network's lock held; must not block
record SimListener(int port, Consumer<SimSocket> onAccept) {}
