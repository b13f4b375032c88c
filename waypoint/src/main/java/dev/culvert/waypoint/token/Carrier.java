package dev.culvert.waypoint.token;

import java.util.List;
import java.util.Optional;

/// A request, as far as tokens can be in it.
public interface Carrier {
    List<String> header(String name);

    Optional<String> cookie(String name);

    Optional<String> queryParameter(String name);
}
