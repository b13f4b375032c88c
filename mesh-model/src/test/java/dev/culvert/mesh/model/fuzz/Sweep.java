package dev.culvert.mesh.model.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/// Runs a fuzz target within the tests: over its kept seeds (`src/test/fuzz/<name>/`), then over mutations of them for
/// two seconds. It is blind to coverage; `build/fuzz` is not. A failure names the input, and the seed of the mutations,
/// which `-Dculvert.fuzz.seed=…` repeats.
public final class Sweep {
    private static final Duration TIME = Duration.ofSeconds(2);
    private static final Duration TOO_LONG = Duration.ofSeconds(30);
    private static final int MAX_BYTES = 70_000;
    private static final int[] ODD = {0, 1, 0x7f, 0x80, 0xff, 0xc0, 0x3f, 0x40, 12};

    /// What is fuzzed: it throws for nothing but a broken promise.
    @FunctionalInterface
    public interface Target {
        void run(byte[] data);
    }

    private final String name;
    private final Target target;
    private final Random random;
    private final long seed;

    private Sweep(String name, Target target) {
        this.name = name;
        this.target = target;
        this.seed = Long.getLong("culvert.fuzz.seed", System.nanoTime());
        this.random = new Random(seed);
    }

    /// @param samples good messages to begin with, besides the kept ones
    public static void over(String name, List<byte[]> samples, Target target) throws IOException {
        var sweep = new Sweep(name, target);
        var inputs = sweep.seeds(samples);
        inputs.forEach(sweep::run);
        var end = System.nanoTime() + TIME.toNanos();
        var runs = 0L;
        while (System.nanoTime() < end) {
            sweep.run(sweep.mutated(inputs));
            runs++;
        }
        System.out.printf("fuzz %s: %d seeds, %d mutations of seed %d%n", name, inputs.size(), runs, sweep.seed);
    }

    /// With `-Dculvert.fuzz.keep=true` the samples become files, for `build/fuzz`.
    private List<byte[]> seeds(List<byte[]> samples) throws IOException {
        var folder = Path.of("src", "test", "fuzz", name);
        if (Boolean.getBoolean("culvert.fuzz.keep")) {
            Files.createDirectories(folder);
            for (var i = 0; i < samples.size(); i++) {
                Files.write(folder.resolve("sample-" + i), samples.get(i));
            }
        }
        var all = new ArrayList<>(samples);
        all.add(new byte[0]);
        try (var files = Files.list(folder)) {
            for (var file : files.sorted().toList()) {
                all.add(Files.readAllBytes(file));
            }
        }
        return all;
    }

    private void run(byte[] data) {
        var start = System.nanoTime();
        try {
            target.run(data);
        } catch (RuntimeException | Error broken) {
            throw new AssertionError(name + " fails (mutations of seed " + seed + ") with " + hex(data), broken);
        }
        var took = Duration.ofNanos(System.nanoTime() - start);
        if (took.compareTo(TOO_LONG) > 0) {
            throw new AssertionError(name + " took " + took + " (mutations of seed " + seed + ") with " + hex(data));
        }
    }

    private static String hex(byte[] data) {
        return data.length + " bytes " + HexFormat.of().formatHex(data, 0, Math.min(data.length, 4096));
    }

    private byte[] mutated(List<byte[]> inputs) {
        var data = inputs.get(random.nextInt(inputs.size())).clone();
        for (var steps = 1 + random.nextInt(6); steps > 0; steps--) {
            data = step(data, inputs);
        }
        return data;
    }

    private byte[] step(byte[] data, List<byte[]> inputs) {
        if (data.length == 0) {
            return bytes(random.nextInt(64));
        }
        var at = random.nextInt(data.length);
        var length = 1 + random.nextInt(Math.min(16, data.length - at));
        return switch (random.nextInt(8)) {
            case 0 -> with(data, at, data[at] ^ (1 << random.nextInt(8)));
            case 1 -> with(data, at, random.nextInt(256));
            case 2 -> with(data, at, ODD[random.nextInt(ODD.length)]);
            case 3 -> spliced(data, at, new byte[0], at + length);
            case 4 -> spliced(data, at, bytes(length), at);
            case 5 -> spliced(data, at, Arrays.copyOfRange(data, at, at + length), at);
            case 6 -> Arrays.copyOf(data, at);
            default -> {
                var other = inputs.get(random.nextInt(inputs.size()));
                var from = other.length == 0 ? 0 : random.nextInt(other.length);
                yield spliced(data, at, Arrays.copyOfRange(other, from, other.length), at);
            }
        };
    }

    private byte[] bytes(int length) {
        var fresh = new byte[length];
        random.nextBytes(fresh);
        return fresh;
    }

    private static byte[] with(byte[] data, int at, int value) {
        data[at] = (byte) value;
        return data;
    }

    /// `data` up to `at`, then `middle`, then `data` from `rest`.
    private static byte[] spliced(byte[] data, int at, byte[] middle, int rest) {
        var all = Arrays.copyOf(data, Math.min(MAX_BYTES, at + middle.length + data.length - rest));
        System.arraycopy(middle, 0, all, at, Math.min(middle.length, all.length - at));
        var end = Math.min(all.length, at + middle.length);
        System.arraycopy(data, rest, all, end, Math.min(data.length - rest, all.length - end));
        return all;
    }
}
