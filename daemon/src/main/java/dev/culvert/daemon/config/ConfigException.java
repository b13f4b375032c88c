package dev.culvert.daemon.config;

import java.util.List;

/// The environment has mistakes: all of them, one a line.
public final class ConfigException extends Exception {
    private final List<String> mistakes;

    ConfigException(List<String> mistakes) {
        super(String.join("\n", mistakes), null, true, false);
        this.mistakes = List.copyOf(mistakes);
    }

    public List<String> mistakes() {
        return mistakes;
    }
}
