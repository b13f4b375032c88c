package dev.culvert.ztunnel.app;

/// What this program is.
final class Version {
    private Version() {}

    /// Of the build, such as `0.1.0`.
    static String number() {
        var version = Version.class.getPackage().getImplementationVersion();
        return version == null ? "0.1.0-SNAPSHOT" : version;
    }

    static String text() {
        return "culvert ztunnel " + number() + ", Java " + Runtime.version();
    }
}
