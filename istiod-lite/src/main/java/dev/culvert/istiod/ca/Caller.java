package dev.culvert.istiod.ca;

import io.grpc.Context;
import java.util.Optional;

/// Who calls, as its token or certificate says.
///
/// @param pod and its uid: empty if what it showed is bound to none
/// @param node empty if only the pod says it
public record Caller(String namespace, String serviceAccount, String pod, String podUid, String node) {
    static final Context.Key<Caller> KEY = Context.key("caller");

    /// Who made the call that this thread serves; empty where nobody asked for tokens.
    public static Optional<Caller> current() {
        return Optional.ofNullable(KEY.get());
    }

    @Override
    public String toString() {
        return namespace + "/" + serviceAccount + (pod.isEmpty() ? "" : " of pod " + pod)
                + (node.isEmpty() ? "" : " on " + node);
    }
}
