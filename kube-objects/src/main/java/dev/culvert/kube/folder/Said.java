package dev.culvert.kube.folder;

import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.read.YamlReader.Chunk;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What one file says, each object as it could last be read. A copy on disk keeps just this.
///
/// @param sources the text that each object was read from, as it was then
/// @param missing objects that the file holds and that could never be read
/// @param unclear whether it may hold others too: it could never be read as a whole
/// @param wholeAt when it was last without a mistake; empty if never
record Said(
        Map<ObjectKey, KubeObject> objects,
        Map<ObjectKey, Chunk> sources,
        Set<ObjectKey> missing,
        boolean unclear,
        Optional<Instant> wholeAt) {
    /// Of a file that nobody has read yet.
    static final Said NOTHING = new Said(Map.of(), Map.of(), Set.of(), true, Optional.empty());

    Said {
        objects = Map.copyOf(objects);
        sources = Map.copyOf(sources);
        missing = Set.copyOf(missing);
    }
}
