package dev.culvert.agent.rules;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What `iptables-save` says of one IP family, table by table.
public record IptablesSaved(Map<String, List<String>> tables) {
    public static final IptablesSaved NOTHING = new IptablesSaved(Map.of());

    public IptablesSaved {
        tables = Map.copyOf(tables);
    }

    public static IptablesSaved of(String text) {
        var tables = new HashMap<String, List<String>>();
        var lines = new ArrayList<String>();
        for (var line : text.lines().toList()) {
            if (line.startsWith("*")) {
                lines = new ArrayList<>();
                tables.put(line.substring(1).strip(), lines);
            } else if (line.startsWith(":") || line.startsWith("-A ")) {
                lines.add(line.strip());
            }
        }
        return new IptablesSaved(tables);
    }

    boolean hasChain(String table, String chain) {
        return lines(table).stream().anyMatch(line -> line.startsWith(":" + chain + " "));
    }

    /// As many deletions of a rule as there are of it; they must come before anything else in its chain
    /// changes.
    String deleted(String table, String rule) {
        var times = lines(table).stream().filter(("-A " + rule)::equals).count();
        return ("-D " + rule + "\n").repeat((int) times);
    }

    /// Whether somebody else's chains or rules redirect traffic here.
    public boolean translates() {
        return lines("nat").stream()
                .filter(line -> line.startsWith("-A PREROUTING ") || line.startsWith("-A OUTPUT "))
                .anyMatch(line -> !line.endsWith(" -j ISTIO_PRERT") && !line.endsWith(" -j ISTIO_OUTPUT"));
    }

    public boolean isEmpty() {
        return tables.values().stream().flatMap(List::stream).noneMatch(line -> line.startsWith("-A "));
    }

    private List<String> lines(String table) {
        return tables.getOrDefault(table, List.of());
    }
}
