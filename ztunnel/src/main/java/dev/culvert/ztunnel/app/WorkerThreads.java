package dev.culvert.ztunnel.app;

import dev.culvert.daemon.config.ConfigReader;
import java.util.Optional;
import java.util.OptionalInt;

/// How many event loops there are, by Istio's rules.
/// @param wanted `ZTUNNEL_WORKER_THREADS`: 0 for all cores, negative for a percentage of them
/// @param concurrency ProxyConfig's; 0 for all cores
/// @param limit of CPU, in cores
/// @param request of CPU, in cores
record WorkerThreads(
        int cores,
        Optional<Integer> wanted,
        OptionalInt concurrency,
        Optional<Integer> limit,
        Optional<Integer> request) {
    private static final int MAX = 1024;

    static WorkerThreads read(ConfigReader read, OptionalInt concurrency) {
        var wanted = read.optionalParsed(
                "ZTUNNEL_WORKER_THREADS",
                "integer 0.." + MAX + ", or a percentage such as 25%",
                WorkerThreads::parse,
                "event loops; 0 for one a core; a percentage is of the cores. Unset: ProxyConfig's concurrency, else "
                        + "the CPU limit (not below the request), else a quarter of the cores, at least the request and 2");
        var limit = read.optionalInteger("ZTUNNEL_RESOURCE_CPU_LIMIT", 1, MAX, "CPU limit of the pod, in cores");
        var request = read.optionalInteger("ZTUNNEL_RESOURCE_CPU_REQUEST", 1, MAX, "CPU request of the pod, in cores");
        var cores = read.optionalInteger("ZTUNNEL_CPU_LIMIT", 1, MAX, "counts as the number of cores if set");
        return new WorkerThreads(
                cores.orElse(Runtime.getRuntime().availableProcessors()), wanted, concurrency, limit, request);
    }

    private static int parse(String text) {
        var percent = text.endsWith("%");
        var number = Integer.parseInt(percent ? text.substring(0, text.length() - 1) : text);
        if (number < 0 || number > (percent ? 100 : MAX) || (percent && number == 0)) {
            throw new IllegalArgumentException(text);
        }
        return percent ? -number : number;
    }

    int count() {
        if (wanted.isPresent()) {
            return wanted.get() < 0 ? share(-wanted.get()) : orAllCores(wanted.get());
        }
        if (concurrency.isPresent()) {
            return orAllCores(concurrency.getAsInt());
        }
        if (limit.isPresent()) {
            return Math.max(limit.get(), request.orElse(1));
        }
        return Math.max(share(25), Math.max(request.orElse(1), 2));
    }

    private int orAllCores(int number) {
        return number == 0 ? cores : number;
    }

    private int share(int percent) {
        return Math.max(1, Math.ceilDiv(cores * percent, 100));
    }
}
