package dev.culvert.cli.view;

import java.util.ArrayList;
import java.util.List;

/// Rows of words under titles, aligned by spaces.
public record Table(List<String> titles, List<List<String>> rows) {
    private static final int GAP = 2;

    public Table {
        titles = List.copyOf(titles);
        rows = List.copyOf(rows);
        for (var row : rows) {
            if (row.size() != titles.size()) {
                throw new IllegalArgumentException("a row of " + row.size() + " words under " + titles);
            }
        }
    }

    /// Ends with a newline; no line ends with a space.
    public String text() {
        var all = new ArrayList<List<String>>();
        all.add(titles);
        all.addAll(rows);
        var text = new StringBuilder();
        for (var row : all) {
            var line = new StringBuilder();
            for (var column = 0; column < row.size(); column++) {
                line.append(row.get(column))
                        .append(" ".repeat(width(column) + GAP - row.get(column).length()));
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }

    private int width(int column) {
        var width = titles.get(column).length();
        for (var row : rows) {
            width = Math.max(width, row.get(column).length());
        }
        return width;
    }
}
