import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ambient.Translator;
import dev.culvert.istiod.waypoint.WaypointTranslator;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.read.YamlReader;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.wire.AddressReader;
import dev.culvert.protos.workload.Address;
import dev.culvert.proxy.mesh.MeshState;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// What a change costs the controller, and what a mesh costs a node proxy's heap, by the number of pods: one Service for
/// ten of them, 20 namespaces, each with a waypoint.
public final class Scale {
    private static final int NAMESPACES = 20;
    private static final int ROUNDS = 7;
    private static final int CHUNK = 500_000;

    private final List<KubeObject> objects = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();

    public static void main(String[] arguments) throws Exception {
        var pods = Integer.parseInt(arguments[1]);
        var file = Path.of(arguments[2]);
        switch (arguments[0]) {
            case "controller" -> new Scale().controller(pods, file);
            case "proxy" -> proxy(pods, file);
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private void controller(int pods, Path to) throws IOException {
        make(pods);
        var addresses = List.<byte[]>of();
        var took = 0L;
        for (var round = 0; round < ROUNDS; round++) {
            var start = System.nanoTime();
            addresses = translate();
            took = System.nanoTime() - start;
        }
        try (var out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(to)))) {
            for (var address : addresses) {
                out.writeInt(address.length);
                out.write(address);
            }
        }
        System.out.printf("%d pods: a change costs the controller %d ms (last of %d)%n", pods, took / 1_000_000, ROUNDS);
    }

    private static void proxy(int pods, Path from) throws Exception {
        var warm = read(from, 10);
        var before = used();
        var mesh = read(from, Integer.MAX_VALUE);
        var state = used() - before;
        System.out.printf("%d pods: a node proxy's state takes %.1f MB, %d bytes a pod%n", pods, state / 1e6, state / pods);
        Reference.reachabilityFence(warm);
        Reference.reachabilityFence(mesh);
    }

    private static MeshState read(Path from, int atMost) throws Exception {
        var changes = new ArrayList<Change>();
        try (var in = new DataInputStream(new BufferedInputStream(Files.newInputStream(from)))) {
            while (changes.size() < atMost) {
                changes.add(AddressReader.read(Address.parseFrom(in.readNBytes(in.readInt()))));
            }
        } catch (EOFException end) {
            // all of them
        }
        var mesh = new MeshState();
        mesh.apply(changes);
        return mesh;
    }

    private List<byte[]> translate() {
        var settings = TranslationSettings.defaults();
        var set = ObjectSet.of(objects, List.of());
        WaypointTranslator.translate(set, settings);
        return Translator.translate(set, settings).addresses().values().stream()
                .map(Address::toByteArray)
                .toList();
    }

    private static long used() throws InterruptedException {
        System.gc();
        Thread.sleep(100);
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private void make(int pods) {
        for (var i = 0; i < NAMESPACES; i++) {
            add("""
                    apiVersion: v1
                    kind: Namespace
                    metadata: {name: crowd-N, labels: {istio.io/dataplane-mode: ambient, istio.io/use-waypoint: wp}}
                    ---
                    apiVersion: gateway.networking.k8s.io/v1
                    kind: Gateway
                    metadata: {name: wp, namespace: crowd-N}
                    spec: {gatewayClassName: culvert-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
                    ---
                    apiVersion: v1
                    kind: Service
                    metadata: {name: wp, namespace: crowd-N, labels: {gateway.networking.k8s.io/gateway-name: wp}}
                    spec: {clusterIP: 10.200.0.N, ports: [{port: 15008}]}
                    """.replace("N,", i + ",").replace("crowd-N}", "crowd-" + i + "}").replace("0.N", "0." + i));
        }
        for (var i = 0; i < pods / 10; i++) {
            add("""
                    apiVersion: v1
                    kind: Service
                    metadata: {name: service-%d, namespace: crowd-%d}
                    spec: {clusterIP: 10.10%d.%d.%d, selector: {app: a%d}, ports: [{name: http, port: 80, targetPort: 8080}]}
                    """.formatted(i, i % NAMESPACES, i >> 16, (i >> 8) & 255, i & 255, i));
        }
        for (var i = 0; i < pods; i++) {
            var service = i % (pods / 10);
            add("""
                    apiVersion: v1
                    kind: Pod
                    metadata:
                      name: deployment-%d-6d8f7b9c4-%d
                      namespace: crowd-%d
                      labels: {app: a%d}
                      annotations: {ambient.istio.io/redirection: enabled}
                    spec: {nodeName: node-%d, serviceAccountName: account-%d, containers: [{name: c, command: [sleep]}]}
                    status: {phase: Running, podIP: 10.%d.%d.%d, conditions: [{type: Ready, status: 'True'}]}
                    """.formatted(
                            service, i, service % NAMESPACES, service, i % 100, service, i >> 16, (i >> 8) & 255, i & 255));
        }
        flush();
    }

    private void add(String yaml) {
        text.append("---\n").append(yaml);
        if (text.length() > CHUNK) {
            flush();
        }
    }

    private void flush() {
        var read = YamlReader.read(Path.of("made.yaml"), text.toString());
        if (!read.problems().isEmpty()) {
            throw new IllegalStateException(read.problems().getFirst().toString());
        }
        objects.addAll(read.objects());
        text.setLength(0);
    }
}
