package dev.culvert.ztunnel.app;

/// What this program is.
final class Version {
    private Version() {}

    static String text() {
        var version = Version.class.getPackage().getImplementationVersion();
        return "culvert ztunnel " + (version == null ? "0.1.0-SNAPSHOT" : version) + ", Java " + Runtime.version();
    }
}
