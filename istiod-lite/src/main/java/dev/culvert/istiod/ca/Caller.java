package dev.culvert.istiod.ca;

import io.grpc.Context;

/// Who calls, as its token says.
public record Caller(String namespace, String serviceAccount, String pod, String node) {
    static final Context.Key<Caller> KEY = Context.key("caller");

    @Override
    public String toString() {
        return namespace + "/" + serviceAccount + " on " + node;
    }
}
