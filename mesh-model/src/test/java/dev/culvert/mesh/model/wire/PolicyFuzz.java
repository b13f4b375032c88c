package dev.culvert.mesh.model.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.policy.Authorizer;
import dev.culvert.mesh.model.policy.Authorizer.Applicable;
import dev.culvert.mesh.model.policy.ConnectionFacts;
import dev.culvert.mesh.model.policy.Policy;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.protos.security.Action;
import dev.culvert.protos.security.Authorization;
import dev.culvert.protos.security.Clause;
import dev.culvert.protos.security.Match;
import dev.culvert.protos.security.Rule;
import dev.culvert.protos.security.StringMatch;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Policies as anybody could send them. What is read decides about every connection without failing, and the same every
/// time; what is taken out leaves nothing.
public final class PolicyFuzz {
    private PolicyFuzz() {}

    static List<byte[]> samples() {
        var match = Match.newBuilder()
                .addPrincipals(StringMatch.newBuilder().setExact("cluster.local/ns/shop/sa/a"))
                .addNotNamespaces(StringMatch.newBuilder().setPrefix("x"))
                .addSourceIps(dev.culvert.protos.security.Address.newBuilder()
                        .setAddress(ByteString.copyFrom(new byte[] {10, 0, 0, 0}))
                        .setLength(8))
                .addDestinationPorts(80)
                .addNotDestinationPorts(9999);
        var policy = Authorization.newBuilder()
                .setName("p")
                .setNamespace("shop")
                .setAction(Action.DENY)
                .addRules(Rule.newBuilder().addClauses(Clause.newBuilder().addMatches(match)));
        return List.of(policy.build().toByteArray());
    }

    public static void fuzzerTestOneInput(byte[] data) {
        Policy policy;
        try {
            policy = PolicyReader.read(Authorization.parseFrom(data));
        } catch (InvalidProtocolBufferException | IllegalArgumentException _) {
            return;
        }
        for (var source : new @Nullable SpiffeId[] {null, new SpiffeId("cluster.local", "shop", "a")}) {
            for (var ip : List.of("10.1.2.3", "fd00::1")) {
                var facts = new ConnectionFacts(
                        source, InetAddress.ofLiteral(ip), new InetSocketAddress(InetAddress.ofLiteral(ip), 80));
                var applicable = new Applicable(List.of(policy), null);
                if (!Authorizer.decide(applicable, facts).equals(Authorizer.decide(applicable, facts))) {
                    throw new AssertionError("two verdicts");
                }
            }
        }
        var mesh = MeshSnapshot.EMPTY.with(List.of(new Change.PutPolicy(policy)));
        if (mesh.policies().size() != 1
                || !mesh.with(List.of(new Change.RemovePolicy(policy.key())))
                        .policies()
                        .isEmpty()) {
            throw new AssertionError("one policy in, one out");
        }
    }
}
