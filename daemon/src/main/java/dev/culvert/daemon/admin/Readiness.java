package dev.culvert.daemon.admin;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/// What a process still waits for before it is ready. Safe for any thread.
public final class Readiness {
    private final TreeSet<String> pending = new TreeSet<>();

    /// One thing to wait for; pending until [#ready]. Safe for any thread.
    public final class Task {
        private final String name;

        private Task(String name) {
            this.name = name;
        }

        public void ready() {
            synchronized (pending) {
                pending.remove(name);
            }
        }

        public void notReady() {
            synchronized (pending) {
                pending.add(name);
            }
        }
    }

    /// A new task, pending.
    public Task task(String name) {
        var task = new Task(name);
        task.notReady();
        return task;
    }

    /// Names of what is waited for, sorted.
    public List<String> pending() {
        synchronized (pending) {
            return new ArrayList<>(pending);
        }
    }

    public boolean isReady() {
        return pending().isEmpty();
    }

    /// Istio's page: `ready`, or 500 with the names.
    public Page page() {
        return _ -> {
            var waiting = pending();
            return waiting.isEmpty()
                    ? Response.text(200, "ready\n")
                    : Response.text(500, "not ready, pending: " + String.join(", ", waiting) + "\n");
        };
    }
}
