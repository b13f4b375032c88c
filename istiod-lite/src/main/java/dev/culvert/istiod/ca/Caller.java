package dev.culvert.istiod.ca;

import io.grpc.Context;
import java.util.Optional;

/// Who calls, as its token says.
public record Caller(String namespace, String serviceAccount, String pod, String node) {
    static final Context.Key<Caller> KEY = Context.key("caller");

    /// Who made the call that this thread serves; empty where nobody asked for tokens.
    public static Optional<Caller> current() {
        return Optional.ofNullable(KEY.get());
    }

    @Override
    public String toString() {
        return namespace + "/" + serviceAccount + " on " + node;
    }
}
