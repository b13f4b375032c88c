package dev.culvert.mesh.model.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.protos.exclusions.Exclusions;
import dev.culvert.protos.workload.Address;
import dev.culvert.protos.workload.Extension;
import dev.culvert.protos.workload.PortList;
import dev.culvert.protos.workload.TunnelProtocol;
import dev.culvert.protos.workload.Workload;
import org.junit.jupiter.api.Test;

class AddressReaderTest {
    private static dev.culvert.mesh.model.workload.Workload read(String name, Message config) {
        var extension = Extension.newBuilder().setName(name).setConfig(Any.pack(config));
        var workload = Workload.newBuilder()
                .setUid("Kubernetes//Pod/shop/server")
                .setTunnelProtocol(TunnelProtocol.HBONE)
                .addExtensions(extension);
        var change =
                AddressReader.read(Address.newBuilder().setWorkload(workload).build());
        return ((Change.PutWorkload) change).workload();
    }

    private static Exclusions ports(int... ports) {
        var exclusions = Exclusions.newBuilder();
        for (var port : ports) {
            exclusions.addInboundPorts(port);
        }
        return exclusions.build();
    }

    @Test
    void aPortThatIsKeptOutTakesNoTunnel() {
        var workload = read(AddressReader.EXCLUSIONS, ports(9100, 9200));
        assertThat(workload.speaksHbone(9100)).isFalse();
        assertThat(workload.speaksHbone(9200)).isFalse();
        assertThat(workload.speaksHbone(8080)).isTrue();
        assertThat(workload.speaksHbone()).isTrue();
    }

    @Test
    void extensionsOfOthersChangeNothing() {
        assertThat(read("example.com/exclusions", ports(9100)).speaksHbone(9100))
                .isTrue();
    }

    @Test
    void whatCannotBeReadIsRefusedByItsName() {
        assertThatThrownBy(() -> read(AddressReader.EXCLUSIONS, PortList.getDefaultInstance()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("culvert.dev/exclusions");
        assertThatThrownBy(() -> read(AddressReader.EXCLUSIONS, ports(70000)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("70000");
    }
}
