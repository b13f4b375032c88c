package dev.culvert.testkit.sim;

import dev.culvert.testkit.backend.AppListener;
import dev.culvert.testkit.backend.AppSocket;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;

/// An application's listening port. Guarded by the network's lock.
final class SimAppListener implements AppListener {
    private final SimNetwork network;
    private final SimPlace place;
    private final SimListener listener;
    private final Condition changed;
    private final ArrayDeque<SimSocket> waiting = new ArrayDeque<>();
    private boolean closed;

    private SimAppListener(SimNetwork network, SimPlace place, int port) {
        this.network = network;
        this.place = place;
        this.changed = network.lock().newCondition();
        this.listener = new SimListener(port, this::accepted);
    }

    static SimAppListener open(SimNetwork network, SimPlace place, int port) throws IOException {
        var listening = new SimAppListener(network, place, port);
        place.listen(listening.listener);
        return listening;
    }

    private void accepted(SimSocket socket) {
        waiting.add(socket);
        changed.signal();
    }

    @Override
    public AppSocket accept() throws IOException {
        return network.locked(() -> {
            awaitOne();
            if (closed) {
                throw new ClosedChannelException();
            }
            return new SimAppSocket(waiting.remove());
        });
    }

    private void awaitOne() throws IOException {
        try {
            while (waiting.isEmpty() && !closed) {
                changed.await();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    @Override
    public void close() {
        network.locked(() -> {
            closed = true;
            place.unlisten(listener);
            waiting.forEach(SimSocket::reset);
            waiting.clear();
            changed.signalAll();
        });
    }
}
