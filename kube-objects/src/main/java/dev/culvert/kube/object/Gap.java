package dev.culvert.kube.object;

import java.util.Optional;

/// Something that a file holds, or may hold, and that nobody could read, neither now nor before.
///
/// @param place of the mistake
/// @param key empty while it is not even clear which objects the file holds
public record Gap(Place place, Optional<ObjectKey> key) {
    @Override
    public String toString() {
        return key.map(ObjectKey::toString).orElse("what is written") + " at " + place;
    }
}
