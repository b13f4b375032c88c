package dev.culvert.kube.read;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/// Finds what somebody meant who mistyped a word.
final class Hints {
    private static final int MAX_LENGTH = 64;

    private Hints() {}

    /// The nearest of the words, if it is near enough to be meant.
    static Optional<String> nearest(String typed, Collection<String> words) {
        if (typed.length() > MAX_LENGTH) {
            return Optional.empty();
        }
        var lower = typed.toLowerCase(Locale.ROOT);
        return words.stream()
                .min(Comparator.comparingInt((String word) -> distance(lower, word.toLowerCase(Locale.ROOT)))
                        .thenComparing(Comparator.naturalOrder()))
                .filter(word -> distance(lower, word.toLowerCase(Locale.ROOT)) <= Math.max(1, typed.length() / 3));
    }

    /// How many letters to insert, remove, change or swap with their neighbour.
    private static int distance(String a, String b) {
        var rows = new int[a.length() + 1][b.length() + 1];
        for (var i = 0; i <= a.length(); i++) {
            for (var j = 0; j <= b.length(); j++) {
                rows[i][j] = i == 0 ? j : j == 0 ? i : step(a, b, i, j, rows);
            }
        }
        return rows[a.length()][b.length()];
    }

    private static int step(String a, String b, int i, int j, int[][] rows) {
        var same = a.charAt(i - 1) == b.charAt(j - 1);
        var best = Math.min(Math.min(rows[i - 1][j], rows[i][j - 1]) + 1, rows[i - 1][j - 1] + (same ? 0 : 1));
        var swapped = i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
        return swapped ? Math.min(best, rows[i - 2][j - 2] + 1) : best;
    }
}
