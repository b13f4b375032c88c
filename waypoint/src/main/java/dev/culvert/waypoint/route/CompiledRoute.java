package dev.culvert.waypoint.route;

import dev.culvert.protos.waypoint.Backend;
import dev.culvert.protos.waypoint.Forward;
import dev.culvert.protos.waypoint.Rewrite;
import dev.culvert.protos.waypoint.Route;
import dev.culvert.waypoint.balance.ClusterSpec;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/// One route with all that its requests need. Immutable.
/// @param cors null if it has none
/// @param regex null unless an expression rewrites the path
public record CompiledRoute(
        Route route,
        Targets targets,
        List<Shadow> shadows,
        @Nullable CorsRule cors,
        @Nullable RegexPath regex) {
    public record Target(Backend backend, ClusterSpec spec) {
        static Target of(Backend backend) {
            return new Target(backend, ClusterSpec.of(backend));
        }
    }

    /// @param share parts of a million
    public record Shadow(Target target, int share) {}

    /// Backends by weight.
    public record Targets(List<Target> all, long weight) {
        public static Targets of(Forward forward) {
            var all = forward.getBackendsList().stream().map(Target::of).toList();
            return new Targets(
                    all, all.stream().mapToLong(one -> one.backend.getWeight()).sum());
        }

        /// Empty if none has a weight.
        public Optional<Target> choose() {
            if (weight <= 0) {
                return Optional.empty();
            }
            return at(all.size() == 1 ? 0 : ThreadLocalRandom.current().nextLong(weight));
        }

        /// The same for the same hash. Other bits of it than choose an endpoint.
        public Optional<Target> choose(long hash) {
            return weight <= 0 ? Optional.empty() : at(Long.remainderUnsigned(Long.rotateLeft(hash, 32), weight));
        }

        private Optional<Target> at(long drawn) {
            var ticket = drawn;
            for (var target : all) {
                ticket -= target.backend.getWeight();
                if (ticket < 0) {
                    return Optional.of(target);
                }
            }
            return Optional.empty();
        }
    }

    public CompiledRoute {
        shadows = List.copyOf(shadows);
    }

    /// @throws IllegalArgumentException for what cannot be understood
    static CompiledRoute of(Route route) {
        if (route.getActionCase() == Route.ActionCase.ACTION_NOT_SET) {
            throw new IllegalArgumentException("route " + route.getName() + " has an action of an unknown kind");
        }
        var rewrite = route.getForward().getRewrite();
        return new CompiledRoute(
                route,
                Targets.of(route.getForward()),
                route.getMirrorsList().stream()
                        .map(mirror -> new Shadow(Target.of(mirror.getBackend()), mirror.getShare()))
                        .toList(),
                route.hasCors() ? new CorsRule(route.getCors()) : null,
                rewrite.getPathCase() == Rewrite.PathCase.REGEX ? new RegexPath(rewrite.getRegex()) : null);
    }
}
