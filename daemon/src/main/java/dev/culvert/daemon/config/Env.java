package dev.culvert.daemon.config;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The environment that a process was started with. Immutable; the only reader of `System.getenv`.
public record Env(Map<String, String> variables) {
    public Env {
        variables = Map.copyOf(variables);
    }

    public static Env ofProcess() {
        return new Env(System.getenv());
    }

    public Optional<String> get(String name) {
        return Optional.ofNullable(variables.get(name));
    }

    /// What follows the prefix in a variable's name, with its value; sorted.
    public Map<String, String> withPrefix(String prefix) {
        var found = new TreeMap<String, String>();
        variables.forEach((name, value) -> {
            if (name.startsWith(prefix) && name.length() > prefix.length()) {
                found.put(name.substring(prefix.length()), value);
            }
        });
        return found;
    }

    /// Environments carry tokens: names only.
    @Override
    public String toString() {
        return "Env" + new TreeMap<>(variables).keySet();
    }
}
