package dev.culvert.cli.install;

import java.io.PrintWriter;
import java.util.List;

/// One line of `culvert check`.
///
/// @param advice what to do; empty where all is well
record Finding(String section, Level level, String what, String advice) {
    /// How grave.
    enum Level {
        FINE("√"),
        WARNING("‼"),
        ERROR("×");

        private final String sign;

        Level(String sign) {
            this.sign = sign;
        }
    }

    String text() {
        return level.sign + " " + what + (advice.isEmpty() ? "" : "\n    " + advice);
    }

    /// Under the headings of their sections, with a verdict.
    /// @return the exit code
    static int print(List<Finding> findings, PrintWriter out) {
        var section = "";
        for (var finding : findings) {
            if (!finding.section.equals(section)) {
                out.println((section.isEmpty() ? "" : "\n") + finding.section + "\n"
                        + "-".repeat(finding.section.length()));
                section = finding.section;
            }
            out.println(finding.text());
        }
        var wrong = findings.stream().anyMatch(finding -> finding.level == Level.ERROR);
        out.println("\nStatus check results are " + (wrong ? "×" : "√"));
        out.flush();
        return wrong ? 1 : 0;
    }
}
