package dev.culvert.waypoint.balance;

import dev.culvert.protos.waypoint.HashKey;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What of a request decides where it goes, so that requests with the same go to the same endpoint.
public final class HashedRequest {
    private HashedRequest() {}

    /// What keys are found in.
    public interface Keys {
        Optional<String> firstHeader(String name);

        Optional<String> cookie(String name);

        Optional<String> queryParameter(String name);

        String sourceIp();
    }

    /// Null without a key: any endpoint will do.
    public static @Nullable Long hash(HashKey key, Keys request) {
        var found =
                switch (key.getKindCase()) {
                    case HEADER -> request.firstHeader(key.getHeader());
                    case SESSION_HEADER -> request.firstHeader(key.getSessionHeader());
                    case COOKIE -> request.cookie(key.getCookie().getName());
                    case QUERY_PARAMETER -> request.queryParameter(key.getQueryParameter());
                    case SOURCE_IP -> Optional.of(request.sourceIp());
                    case KIND_NOT_SET -> Optional.<String>empty();
                };
        return found.map(XxHash::of).orElse(null);
    }

    public static long hash(String key) {
        return XxHash.of(key);
    }
}
