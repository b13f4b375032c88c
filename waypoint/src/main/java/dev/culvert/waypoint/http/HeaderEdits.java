package dev.culvert.waypoint.http;

import dev.culvert.protos.waypoint.HeaderOperations;
import io.netty.handler.codec.http.HttpHeaders;

/// What routes do to headers: first removed, then set, then added. How a message ends is not theirs to say.
final class HeaderEdits {
    private HeaderEdits() {}

    /// Whether a header says where a message ends or for which host it is.
    static boolean isFraming(String name) {
        return name.equalsIgnoreCase("content-length")
                || name.equalsIgnoreCase("transfer-encoding")
                || name.equalsIgnoreCase("host");
    }

    static void apply(HeaderOperations operations, HttpHeaders headers) {
        operations.getRemoveList().stream().filter(name -> !isFraming(name)).forEach(headers::remove);
        operations.getSetList().stream()
                .filter(header -> header.getName().equalsIgnoreCase("host") || !isFraming(header.getName()))
                .forEach(header -> headers.set(header.getName(), header.getValue()));
        operations.getAddList().stream()
                .filter(header -> !isFraming(header.getName()))
                .forEach(header -> headers.add(header.getName(), header.getValue()));
    }
}
