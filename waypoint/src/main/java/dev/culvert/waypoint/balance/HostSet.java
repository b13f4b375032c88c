package dev.culvert.waypoint.balance;

import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.protos.waypoint.LoadBalancer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/// The endpoints of a cluster as they are for the moment: in levels of which the first is used as long as it is
/// healthy,
/// and in parts that share a level. Immutable but for whose turn it is.
final class HostSet {
    /// Where the mesh, ejections and time stood when it was made.
    private final MeshSnapshot mesh;

    private final ClusterSpec spec;
    private final int generation;
    private final long validUntilNanos;
    private final int size;
    private final List<Level> levels;

    /// @param load percent of the requests
    record Level(double load, List<Part> parts) {}

    /// @param share of the level, relative to the others
    record Part(double share, Picker picker) {}

    record Member(Host host, Endpoint endpoint) {}

    /// @param validUntilNanos how long ejections and warm-up leave it as it is
    HostSet(MeshSnapshot mesh, ClusterSpec spec, int generation, long validUntilNanos, int size, List<Level> levels) {
        this.mesh = mesh;
        this.spec = spec;
        this.generation = generation;
        this.validUntilNanos = validUntilNanos;
        this.size = size;
        this.levels = List.copyOf(levels);
    }

    boolean isOf(MeshSnapshot now, ClusterSpec wanted, int currentGeneration, long nowNanos) {
        return mesh == now
                && spec.version() == wanted.version()
                && generation == currentGeneration
                && validUntilNanos - nowNanos > 0;
    }

    /// All of the cluster, those that are ejected too.
    int size() {
        return size;
    }

    /// @param hash null for none
    /// @param tried not to choose again while there are others
    @Nullable
    Member choose(@Nullable Long hash, Set<String> tried) {
        var first = pick(hash);
        if (first == null || tried.isEmpty() || !tried.contains(first.host.uid())) {
            return first;
        }
        if (hash == null || spec.traffic().hash() == null) {
            for (var i = 0; i < 5; i++) {
                var other = pick(null);
                if (other != null && !tried.contains(other.host.uid())) {
                    return other;
                }
            }
            for (var level : levels) {
                for (var part : level.parts) {
                    for (var member : part.picker.members()) {
                        if (!tried.contains(member.host.uid())) {
                            return member;
                        }
                    }
                }
            }
        }
        return first;
    }

    private @Nullable Member pick(@Nullable Long hash) {
        var level = level();
        if (level == null) {
            return null;
        }
        if (level.parts.size() == 1) {
            return level.parts.getFirst().picker.pick(hash);
        }
        var ticket = ThreadLocalRandom.current().nextDouble()
                * level.parts.stream().mapToDouble(Part::share).sum();
        for (var part : level.parts) {
            ticket -= part.share;
            if (ticket < 0) {
                return part.picker.pick(hash);
            }
        }
        return level.parts.getLast().picker.pick(hash);
    }

    private @Nullable Level level() {
        if (levels.size() <= 1) {
            return levels.isEmpty() ? null : levels.getFirst();
        }
        var ticket = ThreadLocalRandom.current().nextDouble(100);
        for (var level : levels) {
            ticket -= level.load;
            if (ticket < 0) {
                return level;
            }
        }
        return levels.getLast();
    }

    /// Chooses among the members of a part.
    static final class Picker {
        private final LoadBalancer.Kind kind;
        private final Member[] members;
        private final double[] weights;
        private final boolean equal;
        private final @Nullable HashTable table;
        /// Of round robin with weights: how far each one is behind what it is due.
        private final double[] due;

        private int turn = ThreadLocalRandom.current().nextInt(1 << 20);

        /// @param members at least one
        Picker(LoadBalancer.Kind kind, int tableSize, List<Member> members, double[] weights) {
            this.kind = kind;
            this.members = members.toArray(Member[]::new);
            this.weights = weights;
            this.due = new double[weights.length];
            var same = true;
            for (var weight : weights) {
                same &= weight == weights[0];
            }
            this.equal = same;
            this.table = table(tableSize);
        }

        private @Nullable HashTable table(int size) {
            if (kind != LoadBalancer.Kind.RING_HASH && kind != LoadBalancer.Kind.MAGLEV) {
                return null;
            }
            var names = new ArrayList<String>();
            for (var member : members) {
                names.add(member.endpoint.text());
            }
            return kind == LoadBalancer.Kind.RING_HASH
                    ? HashTable.ring(names, weights, size)
                    : HashTable.maglev(names, weights, HashTable.prime(Math.max(size, members.length + 1)));
        }

        List<Member> members() {
            return List.of(members);
        }

        Member pick(@Nullable Long hash) {
            if (members.length == 1) {
                return members[0];
            }
            return switch (kind) {
                case ROUND_ROBIN -> roundRobin();
                case RANDOM, UNRECOGNIZED -> equal ? random() : weighted(false);
                case LEAST_REQUEST -> equal ? fewerOfTwo() : weighted(true);
                case RING_HASH, MAGLEV -> hash == null || table == null ? random() : members[table.member(hash)];
            };
        }

        private Member random() {
            return members[ThreadLocalRandom.current().nextInt(members.length)];
        }

        private Member fewerOfTwo() {
            var one = ThreadLocalRandom.current().nextInt(members.length);
            var other = ThreadLocalRandom.current().nextInt(members.length - 1);
            var second = members[other >= one ? other + 1 : other];
            return second.host.active() < members[one].host.active() ? second : members[one];
        }

        /// @param byActive whether one that is busy gets less
        private Member weighted(boolean byActive) {
            var total = 0.0;
            for (var i = 0; i < members.length; i++) {
                total += weight(i, byActive);
            }
            var ticket = ThreadLocalRandom.current().nextDouble() * total;
            for (var i = 0; i < members.length; i++) {
                ticket -= weight(i, byActive);
                if (ticket < 0) {
                    return members[i];
                }
            }
            return members[members.length - 1];
        }

        private double weight(int i, boolean byActive) {
            return byActive ? weights[i] / (members[i].host.active() + 1) : weights[i];
        }

        /// The one that is most due.
        private synchronized Member roundRobin() {
            if (equal) {
                turn++;
                return members[Math.floorMod(turn, members.length)];
            }
            var best = 0;
            var total = 0.0;
            for (var i = 0; i < members.length; i++) {
                due[i] += weights[i];
                total += weights[i];
                if (due[i] > due[best]) {
                    best = i;
                }
            }
            due[best] -= total;
            return members[best];
        }
    }
}
