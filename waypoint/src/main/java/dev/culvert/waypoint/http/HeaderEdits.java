package dev.culvert.waypoint.http;

import dev.culvert.protos.waypoint.HeaderOperations;
import io.netty.handler.codec.http.HttpHeaders;

/// What routes do to headers: first removed, then set, then added.
final class HeaderEdits {
    private HeaderEdits() {}

    static void apply(HeaderOperations operations, HttpHeaders headers) {
        operations.getRemoveList().forEach(headers::remove);
        operations.getSetList().forEach(header -> headers.set(header.getName(), header.getValue()));
        operations.getAddList().forEach(header -> headers.add(header.getName(), header.getValue()));
    }
}
