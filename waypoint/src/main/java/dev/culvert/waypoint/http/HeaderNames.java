package dev.culvert.waypoint.http;

import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// Some names of headers, which are looked for in one pass over a message's own: most messages have none of them.
/// Immutable.
final class HeaderNames {
    private final List<List<String>> byLength = new ArrayList<>();

    HeaderNames(Collection<String> names) {
        var longest = names.stream().mapToInt(String::length).max().orElse(0);
        for (var i = 0; i <= longest; i++) {
            var length = i;
            byLength.add(names.stream().filter(name -> name.length() == length).toList());
        }
    }

    /// Those that are there, each once.
    List<String> in(HttpHeaders headers) {
        var found = new ArrayList<String>(0);
        for (var all = headers.iteratorCharSequence(); all.hasNext(); ) {
            var name = all.next().getKey();
            if (name.length() < byLength.size()) {
                for (var known : byLength.get(name.length())) {
                    if (AsciiString.contentEqualsIgnoreCase(known, name) && !found.contains(known)) {
                        found.add(known);
                    }
                }
            }
        }
        return found;
    }
}
