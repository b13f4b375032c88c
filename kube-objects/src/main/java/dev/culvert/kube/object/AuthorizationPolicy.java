package dev.culvert.kube.object;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// A `security.istio.io` AuthorizationPolicy.
///
/// @param selector empty if it is for the whole namespace, or mesh
/// @param targetRefs what it is bound to instead of pods
public record AuthorizationPolicy(
        Metadata metadata,
        Map<String, String> selector,
        List<Target> targetRefs,
        Action action,
        List<Rule> rules,
        boolean dryRun,
        Place place)
        implements KubeObject {
    /// What happens to what a rule matches.
    public enum Action {
        ALLOW,
        DENY,
        AUDIT,
        CUSTOM
    }

    /// What a policy is bound to, in its own namespace.
    /// @param group empty for the core group
    public record Target(String group, String kind, String name) {
        @Override
        public String toString() {
            return kind + " " + name;
        }
    }

    /// Matches if each of its non-empty lists does.
    public record Rule(List<Source> from, List<Operation> to, List<Condition> when, Place place) {
        public Rule {
            from = List.copyOf(from);
            to = List.copyOf(to);
            when = List.copyOf(when);
        }
    }

    /// Values to match and values not to match; both lists empty matches everything.
    public record Values(List<String> in, List<String> notIn) {
        public static final Values NONE = new Values(List.of(), List.of());

        public Values {
            in = List.copyOf(in);
            notIn = List.copyOf(notIn);
        }

        public boolean isEmpty() {
            return in.isEmpty() && notIn.isEmpty();
        }

        public Stream<String> all() {
            return Stream.concat(in.stream(), notIn.stream());
        }
    }

    /// Who calls.
    public record Source(
            Values principals,
            Values namespaces,
            Values serviceAccounts,
            Values trustDomains,
            Values ipBlocks,
            Values requestPrincipals,
            Values remoteIpBlocks) {}

    /// What is called.
    public record Operation(Values ports, Values hosts, Values methods, Values paths) {}

    /// Any other attribute.
    public record Condition(String key, Values values) {}

    public AuthorizationPolicy {
        selector = Map.copyOf(selector);
        targetRefs = List.copyOf(targetRefs);
        rules = List.copyOf(rules);
    }

    /// Whether it has a selector and the labels fit it.
    public boolean selects(Map<String, String> labels) {
        return !selector.isEmpty() && labels.entrySet().containsAll(selector.entrySet());
    }
}
