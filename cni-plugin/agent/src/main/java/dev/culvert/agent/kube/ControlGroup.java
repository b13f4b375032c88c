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

    /// A process's own group of version 2.
    /// @param path without a `/` at its beginning
    /// @param level 1 for a group under the root
    record Own(String path, int level) {}

    /// @param file as `/proc/PID/cgroup`
    /// @return empty for a process in the root group, or outside of what the reader may see
    static Optional<Own> version2(String file) {
        return file.lines()
                .filter(line -> line.startsWith("0::/"))
                .map(line -> line.substring("0::/".length()))
                .filter(path -> !path.isEmpty() && !path.startsWith(".."))
                .findFirst()
                .map(path -> new Own(path, path.split("/", -1).length));
    }

    /// Without what stands between the digits.
    static String plain(String uid) {
        return uid.replace("-", "").replace("_", "").toLowerCase(Locale.ROOT);
    }
}
