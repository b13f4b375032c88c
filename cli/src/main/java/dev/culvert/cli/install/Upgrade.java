package dev.culvert.cli.install;

import dev.culvert.cli.install.Rollout.Part;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// What an upgrade does, part by part, in the order in which it is done. Pure.
record Upgrade(List<Step> steps) {
    Upgrade {
        steps = List.copyOf(steps);
    }

    /// One part: that of the name `word` on the command line and of the label `app` of its objects.
    enum Piece {
        ISTIOD("istiod", "istiod"),
        CNI("cni", "istio-cni-node"),
        ZTUNNEL("ztunnel", "ztunnel");

        private final String word;
        private final String app;

        Piece(String word, String app) {
            this.word = word;
            this.app = app;
        }

        String word() {
            return word;
        }

        String app() {
            return app;
        }

        Part part(String revision) {
            return switch (this) {
                case ISTIOD -> Rollout.controller(revision);
                case CNI -> Rollout.AGENT;
                case ZTUNNEL -> Rollout.ZTUNNEL;
            };
        }

        /// What it means for traffic.
        String meaning() {
            return switch (this) {
                case ISTIOD ->
                    "nothing is cut: proxies keep what they know, and come to the next one. Its waypoints and gateways are replaced after"
                            + " it; what is open through one may end before it does";
                case CNI ->
                    "nothing is cut: pods that run are left alone. A pod that starts on the node meanwhile waits for its agent";
                case ZTUNNEL ->
                    "the next one serves before the last one ends. A connection that is open for longer than the last one may drain"
                            + " (ztunnel.terminationGracePeriodSeconds) is cut";
            };
        }
    }

    /// A part that is there.
    ///
    /// @param version that its object says
    record Installed(Piece piece, String version) {}

    /// @param from what it is now
    record Step(Piece piece, String from, String to) {
        @Override
        public String toString() {
            return piece.word
                    + (from.equals(to) ? " stays at " + to + ", with its values now" : " " + from + " → " + to);
        }
    }

    /// @param installed all parts
    /// @param chosen those to upgrade; none for all
    /// @throws IOException if a part would be more than one minor version away from another
    static Upgrade plan(List<Installed> installed, Set<Piece> chosen, String target) throws IOException {
        var to = version("this program", target);
        var steps = new ArrayList<Step>();
        for (var piece : Piece.values()) {
            for (var one : installed) {
                if (one.piece != piece) {
                    continue;
                }
                var from = version(one.piece.word, one.version);
                if (!from.isNextTo(to)) {
                    throw new IOException(
                            "%s is at %s, and this program brings %s: only one minor version at a time. Nothing was changed. Upgrade %1$s by the program of %s first"
                                    .formatted(one.piece.word, one.version, target, from.stepTowards(to)));
                }
                if (chosen.isEmpty() || chosen.contains(piece)) {
                    steps.add(new Step(piece, one.version, target));
                }
            }
        }
        for (var piece : chosen) {
            if (steps.stream().noneMatch(step -> step.piece == piece)) {
                throw new IOException(
                        piece.word + " is not installed; 'culvert install' installs it. Nothing was changed");
            }
        }
        if (steps.isEmpty()) {
            throw new IOException("no part of the mesh is installed; 'culvert install' installs it");
        }
        return new Upgrade(steps);
    }

    private static Version version(String whose, String text) throws IOException {
        return Version.parse(text)
                .orElseThrow(() -> new IOException(
                        "the version of %s is '%s', which is none; write MAJOR.MINOR.PATCH".formatted(whose, text)));
    }

    /// Those after a step, by name; empty if it is the last.
    String after(Step step) {
        return steps.subList(steps.indexOf(step) + 1, steps.size()).stream()
                .map(later -> later.piece.word)
                .collect(Collectors.joining(" and "));
    }
}
