package dev.culvert.daemon.log;

/// A logger's name as people see it: our own classes without what they all begin with.
final class Scope {
    static final String PREFIX = "dev.culvert.";

    private Scope() {}

    static String shown(String loggerName) {
        return loggerName.startsWith(PREFIX) ? loggerName.substring(PREFIX.length()) : loggerName;
    }
}
