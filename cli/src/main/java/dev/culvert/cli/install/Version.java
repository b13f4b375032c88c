package dev.culvert.cli.install;

import java.util.Optional;
import java.util.regex.Pattern;

/// Of a part of the mesh, as charts and objects have it: `MAJOR.MINOR` and whatever follows. Pure.
record Version(int major, int minor, String text) {
    private static final Pattern FORM = Pattern.compile("v?(\\d{1,6})\\.(\\d{1,6})(?:[.+-].*)?");

    static Optional<Version> parse(String text) {
        var form = FORM.matcher(text);
        return form.matches()
                ? Optional.of(new Version(Integer.parseInt(form.group(1)), Integer.parseInt(form.group(2)), text))
                : Optional.empty();
    }

    /// Whether parts of the two are known to work with each other.
    boolean isNextTo(Version other) {
        return major == other.major && Math.abs(minor - other.minor) <= 1;
    }

    /// What comes between the two, the next one from here: `1.3`.
    String stepTowards(Version target) {
        return major == target.major
                ? major + "." + (minor + Integer.signum(target.minor - minor))
                : "the last version before " + Math.max(major, target.major) + ".0";
    }
}
