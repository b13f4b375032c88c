package dev.culvert.agent.kube;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/// Tells a process's pod by its control groups; pure.
final class ControlGroup {
    /// `…/pod<uid>/…` of the cgroupfs driver, `…-pod<uid>.slice/…` of systemd's, which writes `_` for `-`; a
    /// static pod's uid has nothing between its digits.
    private static final Pattern POD = Pattern.compile("\\p{Punct}pod("
            + "\\p{XDigit}{8}[-_]?\\p{XDigit}{4}[-_]?\\p{XDigit}{4}[-_]?\\p{XDigit}{4}[-_]?\\p{XDigit}{12}"
            + ")(?:\\.slice)?(?:[/:]|$)");

    private ControlGroup() {}

    /// @param file as `/proc/PID/cgroup`
    /// @return the pod's uid, [#plain]; empty for a process of no pod, or if the hierarchies disagree
    static Optional<String> podOf(String file) {
        var found = file.lines()
                .map(POD::matcher)
                .filter(matcher -> matcher.find())
                .map(matcher -> plain(matcher.group(1)))
                .distinct()
                .toList();
        return found.size() == 1 ? Optional.of(found.getFirst()) : Optional.empty();
    }

    /// Without what stands between the digits.
    static String plain(String uid) {
        return uid.replace("-", "").replace("_", "").toLowerCase(Locale.ROOT);
    }
}
