package dev.culvert.kube.object;

import java.nio.file.Path;
import java.util.Comparator;

/// Where something was written.
///
/// @param source a file, or an object of a cluster
/// @param line counted from 1; 0 in what has no lines
public record Place(String source, int line) implements Comparable<Place> {
    public Place(Path file, int line) {
        this(file.toString(), line);
    }

    /// What the API server says of an object.
    public static Place inCluster(ObjectKey key) {
        return new Place("cluster " + key, 0);
    }

    @Override
    public int compareTo(Place other) {
        return Comparator.comparing(Place::source).thenComparingInt(Place::line).compare(this, other);
    }

    @Override
    public String toString() {
        return line == 0 ? source : source + ":" + line;
    }
}
