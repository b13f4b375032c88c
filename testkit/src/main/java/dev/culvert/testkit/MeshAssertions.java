package dev.culvert.testkit;

import dev.culvert.ztunnel.relay.LiveConnection.Tunnel;
import org.assertj.core.api.AbstractAssert;
import org.assertj.core.api.Assertions;

/// AssertJ's assertions, and those on what a mesh has.
public final class MeshAssertions extends Assertions {
    private MeshAssertions() {}

    public static TunnelAssert assertThat(Tunnel actual) {
        return new TunnelAssert(actual);
    }

    /// On a tunnel as the server's node sees it.
    public static final class TunnelAssert extends AbstractAssert<TunnelAssert, Tunnel> {
        private TunnelAssert(Tunnel actual) {
            super(actual, TunnelAssert.class);
        }

        public TunnelAssert hasAuthority(String authority) {
            isNotNull();
            Assertions.assertThat(actual.authority()).as("authority").isEqualTo(authority);
            return this;
        }

        /// @param peer `ns/<namespace>/sa/<service account>`
        public TunnelAssert hasPeer(String peer) {
            isNotNull();
            Assertions.assertThat(actual.peer().principal()).as("peer").isEqualTo("cluster.local/" + peer);
            return this;
        }
    }
}
