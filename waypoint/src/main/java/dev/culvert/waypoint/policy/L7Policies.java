package dev.culvert.waypoint.policy;

import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.Cidr;
import dev.culvert.protos.waypoint.Action;
import dev.culvert.protos.waypoint.Attribute;
import dev.culvert.protos.waypoint.Condition;
import dev.culvert.protos.waypoint.Policy;
import dev.culvert.protos.waypoint.Rule;
import dev.culvert.waypoint.route.RequestView;
import dev.culvert.waypoint.route.TextMatcher;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The policies of one Service, compiled. CUSTOM and DENY come first, then ALLOW; what cannot be evaluated,
/// because the connection carries no HTTP or because we cannot, never allows and never keeps a rule from
/// refusing. Immutable.
public final class L7Policies {
    public static final L7Policies NONE = new L7Policies(List.of());

    private final List<Compiled> refusing;
    private final List<Compiled> allowing;
    private final List<Compiled> auditing;
    /// Dry runs: what they would decide is told.
    private final List<Compiled> dryRefusing;

    private final List<Compiled> dryAllowing;

    /// @param policy `namespace/name` of the one that decided; empty if none did
    public record Decision(boolean allowed, String policy, String text) {}

    private record Compiled(String name, Action action, List<CompiledRule> rules) {}

    private record CompiledRule(
            List<CompiledCondition> from, List<CompiledCondition> to, List<CompiledCondition> when) {}

    private record CompiledCondition(List<Evaluated> attributes) {}

    /// @throws IllegalArgumentException for what cannot be understood
    public L7Policies(List<Policy> policies) {
        refusing = new ArrayList<>();
        allowing = new ArrayList<>();
        auditing = new ArrayList<>();
        dryRefusing = new ArrayList<>();
        dryAllowing = new ArrayList<>();
        for (var policy : policies) {
            var compiled = compiled(policy);
            if (policy.getAction() == Action.AUDIT) {
                auditing.add(compiled);
            } else if (policy.getAction() == Action.ALLOW) {
                (policy.getDryRun() ? dryAllowing : allowing).add(compiled);
            } else {
                (policy.getDryRun() ? dryRefusing : refusing).add(compiled);
            }
        }
    }

    /// What a policy that decides nothing says of a request.
    /// @param what `audit`, or of a dry run `dry_run_allowed` or `dry_run_denied`
    public record Told(String policy, String what) {}

    /// Of audits and dry runs; empty without any.
    /// @param request null where the connection carries no HTTP
    public List<Told> told(Caller caller, @Nullable RequestView request) {
        if (auditing.isEmpty() && dryRefusing.isEmpty() && dryAllowing.isEmpty()) {
            return List.of();
        }
        var told = new ArrayList<Told>();
        for (var policy : auditing) {
            if (matching(policy, caller, request) >= 0) {
                told.add(new Told(policy.name, "audit"));
            }
        }
        for (var policy : dryRefusing) {
            var denied = matching(policy, caller, request) >= 0;
            told.add(new Told(policy.name, denied ? "dry_run_denied" : "dry_run_allowed"));
        }
        if (!dryAllowing.isEmpty()) {
            var allowed = dryAllowing.stream()
                    .filter(policy -> matching(policy, caller, request) >= 0)
                    .findFirst();
            told.add(allowed.map(policy -> new Told(policy.name, "dry_run_allowed"))
                    .orElseGet(() -> new Told(dryAllowing.getFirst().name, "dry_run_denied")));
        }
        return told;
    }

    private static Compiled compiled(Policy policy) {
        if (policy.getAction() == Action.UNRECOGNIZED) {
            throw new IllegalArgumentException("policy " + policy.getName() + ": unknown action");
        }
        return new Compiled(
                policy.getNamespace() + "/" + policy.getName(),
                policy.getAction(),
                policy.getRulesList().stream().map(L7Policies::compiled).toList());
    }

    private static CompiledRule compiled(Rule rule) {
        return new CompiledRule(
                conditions(rule.getFromList()), conditions(rule.getToList()), conditions(rule.getWhenList()));
    }

    private static List<CompiledCondition> conditions(List<Condition> conditions) {
        return conditions.stream()
                .map(condition -> new CompiledCondition(condition.getAttributesList().stream()
                        .map(Evaluated::new)
                        .toList()))
                .toList();
    }

    /// @param request null where the connection carries no HTTP
    public Decision decide(Caller caller, @Nullable RequestView request) {
        for (var policy : refusing) {
            var rule = matching(policy, caller, request);
            if (rule >= 0) {
                var how = policy.action == Action.CUSTOM ? "no authorizer for: " : "explicitly denied by: ";
                return new Decision(false, policy.name, how + policy.name + " (rule " + rule + ")");
            }
        }
        if (allowing.isEmpty()) {
            return new Decision(true, "", "no allow policy applies");
        }
        for (var policy : allowing) {
            var rule = matching(policy, caller, request);
            if (rule >= 0) {
                return new Decision(true, policy.name, "allowed by: " + policy.name + " (rule " + rule + ")");
            }
        }
        var names = allowing.stream().map(Compiled::name).toList();
        return new Decision(
                false, String.join(",", names), "allow policies exist, but none allowed: " + String.join(", ", names));
    }

    /// The number of the first rule that matches; -1 without one.
    private static int matching(Compiled policy, Caller caller, @Nullable RequestView request) {
        var unknown = policy.action != Action.ALLOW;
        for (var i = 0; i < policy.rules.size(); i++) {
            var rule = policy.rules.get(i);
            if (any(rule.from, caller, request, unknown)
                    && any(rule.to, caller, request, unknown)
                    && rule.when.stream().allMatch(one -> holds(one, caller, request, unknown))) {
                return i;
            }
        }
        return -1;
    }

    private static boolean any(
            List<CompiledCondition> conditions, Caller caller, @Nullable RequestView request, boolean unknown) {
        return conditions.isEmpty() || conditions.stream().anyMatch(one -> holds(one, caller, request, unknown));
    }

    private static boolean holds(
            CompiledCondition condition, Caller caller, @Nullable RequestView request, boolean unknown) {
        return condition.attributes.stream()
                .allMatch(attribute -> attribute.holds(caller, request).orElse(unknown));
    }

    /// One attribute, compiled.
    private static final class Evaluated {
        private static final List<String> AUDIENCES = List.of("aud");
        private static final List<String> PRESENTERS = List.of("azp");

        private final Attribute attribute;
        private final List<TextMatcher> values;
        private final List<TextMatcher> notValues;
        private final List<Cidr> blocks;
        private final List<Cidr> notBlocks;

        Evaluated(Attribute attribute) {
            this.attribute = attribute;
            values = attribute.getValuesList().stream().map(TextMatcher::new).toList();
            notValues =
                    attribute.getNotValuesList().stream().map(TextMatcher::new).toList();
            blocks = attribute.getBlocksList().stream().map(Evaluated::cidr).toList();
            notBlocks =
                    attribute.getNotBlocksList().stream().map(Evaluated::cidr).toList();
        }

        private static Cidr cidr(String text) {
            var slash = text.indexOf('/');
            var ip = Addresses.parse(slash < 0 ? text : text.substring(0, slash))
                    .orElseThrow(() -> new IllegalArgumentException("not an address: " + text));
            return new Cidr(ip, slash < 0 ? ip.getAddress().length * 8 : Integer.parseInt(text.substring(slash + 1)));
        }

        /// Empty if nobody here can tell.
        Optional<Boolean> holds(Caller caller, @Nullable RequestView request) {
            return switch (attribute.getKind()) {
                case PRINCIPAL -> proved(caller.principal());
                case NAMESPACE -> proved(caller.namespace());
                case SOURCE_IP -> address(caller.source().getAddress());
                case REMOTE_IP ->
                    address(Optional.ofNullable(request)
                            .flatMap(RequestView::client)
                            .orElseGet(() -> caller.source().getAddress()));
                case DESTINATION_IP -> address(caller.dialled().getAddress());
                case DESTINATION_PORT -> Optional.of(port(caller.dialled().getPort()));
                case HOST -> request == null ? Optional.empty() : text(request.authority());
                case METHOD -> request == null ? Optional.empty() : text(request.method());
                case PATH -> request == null ? Optional.empty() : text(request.path());
                case HEADER -> request == null ? Optional.empty() : header(request.header(attribute.getName()));
                case TRUST_DOMAIN -> proved(caller.trustDomain());
                case REQUEST_PRINCIPAL -> request == null ? Optional.empty() : proved(request.requestPrincipal());
                case AUDIENCE -> request == null ? Optional.empty() : list(request.claim(AUDIENCES));
                case PRESENTER -> request == null ? Optional.empty() : list(request.claim(PRESENTERS));
                case CLAIM -> request == null ? Optional.empty() : list(request.claim(attribute.getPathList()));
                case UNKNOWN, UNRECOGNIZED -> Optional.empty();
            };
        }

        private Optional<Boolean> text(String text) {
            return Optional.of((values.isEmpty() || values.stream().anyMatch(one -> one.matches(text)))
                    && notValues.stream().noneMatch(one -> one.matches(text)));
        }

        /// What is missing matches no value.
        private Optional<Boolean> proved(String text) {
            return text.isEmpty() ? Optional.of(values.isEmpty()) : text(text);
        }

        /// One of the texts must match, and none may.
        private Optional<Boolean> list(List<String> texts) {
            return Optional.of((values.isEmpty()
                            || texts.stream().anyMatch(text -> values.stream().anyMatch(one -> one.matches(text))))
                    && texts.stream().noneMatch(text -> notValues.stream().anyMatch(one -> one.matches(text))));
        }

        /// A header that is missing has no value that could match.
        private Optional<Boolean> header(List<String> found) {
            return found.isEmpty() ? Optional.of(values.isEmpty()) : text(String.join(",", found));
        }

        private Optional<Boolean> address(InetAddress ip) {
            return Optional.of((blocks.isEmpty() || blocks.stream().anyMatch(one -> one.contains(ip)))
                    && notBlocks.stream().noneMatch(one -> one.contains(ip)));
        }

        private boolean port(int port) {
            return (attribute.getPortsCount() == 0 || attribute.getPortsList().contains(port))
                    && !attribute.getNotPortsList().contains(port);
        }
    }
}
