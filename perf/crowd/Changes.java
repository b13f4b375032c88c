import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// When each of some changes was written, and when each client had it. Each change is of another pod, so that none
/// hides another. Thread-safe.
final class Changes {
    private final String run;
    private final int count;
    private final AtomicLongArray written;
    private final AtomicLongArray[] received;

    /// @param run what versions of this run begin with
    Changes(String run, int count, int clients) {
        this.run = run;
        this.count = count;
        written = new AtomicLongArray(count);
        received = new AtomicLongArray[clients];
        Arrays.setAll(received, _ -> new AtomicLongArray(count));
    }

    int count() {
        return count;
    }

    String version(int change) {
        return run + "-" + change;
    }

    /// The writer has its answer.
    void written(int change) {
        written.set(change, System.nanoTime());
    }

    void received(int client, String version, long nanos) {
        if (version.startsWith(run + "-")) {
            received[client].compareAndSet(Integer.parseInt(version.substring(run.length() + 1)), 0, nanos);
        }
    }

    long missing() {
        return Arrays.stream(received)
                .mapToLong(client ->
                        IntStream.range(0, count).filter(i -> client.get(i) == 0).count())
                .sum();
    }

    void await(long seconds) throws InterruptedException {
        var end = System.nanoTime() + seconds * 1_000_000_000;
        while (missing() > 0 && System.nanoTime() < end) {
            Thread.sleep(10);
        }
    }

    /// From the last write's answer until the last change was at every client.
    double lastMilliseconds() {
        var last = LongStream.range(0, count).map(i -> written.get((int) i)).max().orElseThrow();
        var seen = Arrays.stream(received)
                .flatMapToLong(client -> IntStream.range(0, count).mapToLong(client::get))
                .max()
                .orElseThrow();
        return Math.max(0, seen - last) / 1e6;
    }

    /// From the first write's answer to the last's.
    double writingSeconds() {
        var times = LongStream.range(0, count).map(i -> written.get((int) i)).summaryStatistics();
        return (times.getMax() - times.getMin()) / 1e9;
    }

    /// Milliseconds from the answer to the write until each client had it, in rising order; none where a client had it
    /// before the writer had its answer.
    double[] latencies() {
        return Arrays.stream(received)
                .flatMapToDouble(client -> IntStream.range(0, count)
                        .filter(i -> client.get(i) != 0)
                        .mapToDouble(i -> latency(client, i)))
                .sorted()
                .toArray();
    }

    private double latency(AtomicLongArray client, int change) {
        return Math.max(0, client.get(change) - written.get(change)) / 1e6;
    }

    static double percentile(double[] sorted, double part) {
        return sorted.length == 0 ? Double.NaN : sorted[(int) Math.min(sorted.length - 1L, (long) (sorted.length * part))];
    }

    /// A line a change: first, middle and last client.
    String csv() {
        var lines = new StringBuilder("change,first_ms,middle_ms,last_ms,clients\n");
        for (var i = 0; i < count; i++) {
            var change = i;
            var all = Arrays.stream(received)
                    .filter(client -> client.get(change) != 0)
                    .mapToDouble(client -> latency(client, change))
                    .sorted()
                    .toArray();
            lines.append("%d,%.1f,%.1f,%.1f,%d%n".formatted(
                    i, percentile(all, 0), percentile(all, 0.5), percentile(all, 1), all.length));
        }
        return lines.toString();
    }
}
