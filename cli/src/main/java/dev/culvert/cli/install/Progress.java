package dev.culvert.cli.install;

import java.io.Console;
import java.io.PrintWriter;
import java.util.Optional;

/// Says what is being done: on a terminal one line that changes, elsewhere a line for each change. Confined
/// to one thread.
final class Progress {
    private final PrintWriter out;
    private final boolean terminal;
    private String shown = "";

    static Progress on(PrintWriter out) {
        return new Progress(out, terminal().isPresent());
    }

    /// Where somebody sits before this program.
    static Optional<Console> terminal() {
        return Optional.ofNullable(System.console()).filter(Console::isTerminal);
    }

    Progress(PrintWriter out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    /// What is waited for now.
    void doing(String text) {
        if (text.equals(shown)) {
            return;
        }
        if (terminal) {
            out.print("\r\u001b[K… " + text);
        } else {
            out.println("  " + text);
        }
        shown = text;
        out.flush();
    }

    /// What is finished.
    void done(String text) {
        out.println((terminal ? "\r\u001b[K" : "") + "✔ " + text);
        shown = "";
        out.flush();
    }
}
