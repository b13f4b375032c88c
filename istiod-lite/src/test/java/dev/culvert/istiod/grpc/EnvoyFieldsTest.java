package dev.culvert.istiod.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.culvert.protos.discovery.DiscoveryRequest;
import dev.culvert.protos.discovery.DiscoveryResponse;
import dev.culvert.protos.envoy.Cluster;
import dev.culvert.protos.envoy.ClusterLoadAssignment;
import dev.culvert.protos.envoy.DownstreamTlsContext;
import dev.culvert.protos.envoy.HTTPFault;
import dev.culvert.protos.envoy.HttpConnectionManager;
import dev.culvert.protos.envoy.Listener;
import dev.culvert.protos.envoy.RouteConfiguration;
import dev.culvert.protos.envoy.Router;
import dev.culvert.protos.envoy.UpstreamTlsContext;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Our messages against the ones that grpc-java was built with: same names, numbers and types.
class EnvoyFieldsTest {
    private static final List<Descriptor> ROOTS = List.of(
            DiscoveryRequest.getDescriptor(),
            DiscoveryResponse.getDescriptor(),
            Listener.getDescriptor(),
            HttpConnectionManager.getDescriptor(),
            Router.getDescriptor(),
            HTTPFault.getDescriptor(),
            RouteConfiguration.getDescriptor(),
            Cluster.getDescriptor(),
            ClusterLoadAssignment.getDescriptor(),
            UpstreamTlsContext.getDescriptor(),
            DownstreamTlsContext.getDescriptor());

    private record Pair(Descriptor ours, Descriptor theirs) {}

    @Test
    void everyFieldIsThatOfEnvoy() throws Exception {
        var seen = new HashSet<String>();
        var next = new ArrayDeque<Pair>();
        for (var root : ROOTS) {
            next.add(new Pair(root, theirs(root)));
        }
        while (!next.isEmpty()) {
            var pair = next.remove();
            if (pair.ours.getFullName().startsWith("google.") || !seen.add(pair.ours.getFullName())) {
                continue;
            }
            for (var field : pair.ours.getFields()) {
                var same = pair.theirs.findFieldByNumber(field.getNumber());
                assertThat(same).as(field.getFullName()).isNotNull();
                assertThat(described(same)).as(field.getFullName()).isEqualTo(described(field));
                if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE && !field.isMapField()) {
                    next.add(new Pair(field.getMessageType(), same.getMessageType()));
                } else if (field.getJavaType() == FieldDescriptor.JavaType.ENUM) {
                    values(field.getEnumType(), same.getEnumType());
                }
            }
        }
        assertThat(seen).hasSizeGreaterThan(40);
    }

    private static String described(FieldDescriptor field) {
        return field.getName() + " = " + field.getNumber() + " " + field.getType() + (field.isRepeated() ? "*" : "")
                + (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
                        ? " " + field.getMessageType().getName()
                        : "");
    }

    private static void values(EnumDescriptor ours, EnumDescriptor theirs) {
        ours.getValues()
                .forEach(value -> assertThat(theirs.findValueByNumber(value.getNumber()))
                        .as(value.getFullName())
                        .extracting(Object::toString)
                        .isEqualTo(value.getName()));
    }

    /// The class of grpc-java: nested messages are nested classes.
    private static Descriptor theirs(Descriptor ours) throws ReflectiveOperationException {
        var nested = ours.getFullName().substring(ours.getFile().getPackage().length() + 1);
        var name = "io.grpc.xds.shaded.io.envoyproxy." + ours.getFile().getPackage() + "." + nested.replace('.', '$');
        return (Descriptor) Class.forName(name).getMethod("getDescriptor").invoke(null);
    }
}
