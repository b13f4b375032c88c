package dev.culvert.kube.object;

import java.nio.file.Path;
import java.util.Comparator;

/// Where something was written.
///
/// @param line counted from 1
public record Place(Path file, int line) implements Comparable<Place> {
    @Override
    public int compareTo(Place other) {
        return Comparator.comparing(Place::file).thenComparingInt(Place::line).compare(this, other);
    }

    @Override
    public String toString() {
        return file + ":" + line;
    }
}
