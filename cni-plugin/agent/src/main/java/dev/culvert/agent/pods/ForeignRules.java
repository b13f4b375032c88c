package dev.culvert.agent.pods;

import java.util.Optional;
import java.util.regex.Pattern;

/// Tells from a pod's rules whether somebody else translates its traffic already; pure.
final class ForeignRules {
    private static final Pattern TABLE = Pattern.compile("^table (\\S+ \\S+) \\{.*");
    private static final Pattern NAT = Pattern.compile("^\\s*type nat hook (?:prerouting|output) .*");
    private static final Pattern RULE = Pattern.compile("^\\s+.*\\b(?:jump|goto|dnat|redirect|xt target) .*");

    private ForeignRules() {}

    /// @param ruleset as `nft list ruleset` shows it, rules of `iptables-nft` among them
    static Optional<String> of(String ruleset) {
        var table = "";
        var nat = false;
        for (var line : ruleset.lines().toList()) {
            var header = TABLE.matcher(line);
            if (header.matches()) {
                table = header.group(1);
                nat = false;
            } else if (line.strip().startsWith("chain ")) {
                nat = false;
            } else if (NAT.matcher(line).matches()) {
                nat = true;
            } else if (nat
                    && !table.equals("inet istio-ambient-nat")
                    && RULE.matcher(line).matches()) {
                return Optional.of("its own rules (table " + table + ") redirect its traffic already");
            }
        }
        return Optional.empty();
    }
}
