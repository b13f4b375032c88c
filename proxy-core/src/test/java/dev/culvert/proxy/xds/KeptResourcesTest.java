package dev.culvert.proxy.xds;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import dev.culvert.protos.discovery.Resource;
import dev.culvert.protos.workload.Address;
import dev.culvert.protos.workload.Service;
import dev.culvert.proxy.mesh.LastGoodState;
import dev.culvert.proxy.mesh.MeshState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a program is told beside the mesh outlives it as the mesh does.
class KeptResourcesTest {
    private static final String TYPE = "type.googleapis.com/test.Word";

    @TempDir
    Path directory;

    /// Words by name; `bad` is none.
    private static final class Words implements FurtherResources {
        private final Map<String, String> held = new TreeMap<>();

        @Override
        public String type() {
            return TYPE;
        }

        @Override
        public Map<String, String> apply(DeltaDiscoveryResponse response) {
            var refused = new LinkedHashMap<String, String>();
            for (var resource : response.getResourcesList()) {
                var word = resource.getResource().getValue().toStringUtf8();
                if (word.equals("bad")) {
                    refused.put(resource.getName(), "no word");
                } else {
                    held.put(resource.getName(), word);
                }
            }
            response.getRemovedResourcesList().forEach(held::remove);
            return refused;
        }
    }

    private MeshResources resources(Words words) throws IOException {
        var resources = new MeshResources(new MeshState(), new LastGoodState(directory));
        resources.alsoReceive(words);
        return resources;
    }

    private static Resource word(String name, String version, String word) {
        return Resource.newBuilder()
                .setName(name)
                .setVersion(version)
                .setResource(Any.newBuilder().setValue(ByteString.copyFromUtf8(word)))
                .build();
    }

    private static DeltaDiscoveryResponse.Builder words() {
        return DeltaDiscoveryResponse.newBuilder().setTypeUrl(TYPE);
    }

    @Test
    void aRestartBeginsWithWhatWasTakenLast() throws Exception {
        var before = resources(new Words());
        assertThat(before.restore()).as("there is nothing yet").isFalse();
        var service = Address.newBuilder()
                .setService(Service.newBuilder().setName("s").setNamespace("n").setHostname("s.n"))
                .build();
        before.apply(DeltaDiscoveryResponse.newBuilder()
                .setTypeUrl(MeshResources.ADDRESS)
                .addResources(Resource.newBuilder()
                        .setName("n/s.n")
                        .setVersion("1")
                        .setResource(Any.newBuilder().setValue(service.toByteString())))
                .build());
        before.apply(words().addResources(word("a", "1", "ahoy"))
                .addResources(word("b", "1", "belay"))
                .addResources(word("c", "1", "cast off"))
                .build());
        assertThat(before.apply(words().addResources(word("a", "2", "bad"))
                        .addResources(word("b", "2", "brace"))
                        .addRemovedResources("c")
                        .build()))
                .containsOnlyKeys("a");
        before.save();

        var words = new Words();
        var after = resources(words);
        assertThat(after.restore()).isTrue();
        assertThat(words.held).containsExactly(Map.entry("a", "ahoy"), Map.entry("b", "brace"));
        assertThat(after.versions(TYPE)).containsExactly(Map.entry("a", "1"), Map.entry("b", "2"));
    }
}
