package dev.culvert.cli.install;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.cli.install.Upgrade.Piece;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is taken for a part of Istio's.
class IstioPartsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// @param part as on the command line; `none` for no part
    @ParameterizedTest
    @CsvSource({
        "istiod, '', example/any:1, istiod",
        "istiod-1-30, app=istiod, example/any:1, istiod",
        "control, '', docker.io/istio/pilot:1.30.0, istiod",
        "control, '', registry.example:5000/pilot@sha256:00, istiod",
        "control, '', example/pilots:1, none",
        "control, '', example/copilot:1, none",
        "istio-cni-node, '', example/any:1, cni",
        "mine, k8s-app=istio-cni-node, example/any:1, cni",
        "mine, '', gcr.io/istio-release/install-cni, cni",
        "ztunnel, '', example/any:1, ztunnel",
        "mine, app.kubernetes.io/name=ztunnel, example/any:1, ztunnel",
        "mine, '', ztunnel:1.30.0-distroless, ztunnel",
        "ztunnels, app=web, example/my-ztunnel:1, none",
        "web, app=web, example/web:1, none",
    })
    void aPartIsRecognisedByNameLabelOrImage(String name, String label, String image, String part) throws Exception {
        var object = JSON.createObjectNode();
        var labels = object.putObject("metadata").put("name", name).putObject("labels");
        if (!label.isEmpty()) {
            var at = label.indexOf('=');
            labels.put(label.substring(0, at), label.substring(at + 1));
        }
        object.putObject("spec")
                .putObject("template")
                .putObject("spec")
                .putArray("containers")
                .addObject()
                .put("image", image);
        var read = JSON.treeToValue(object, GenericKubernetesResource.class);
        assertThat(Arrays.stream(Piece.values())
                        .filter(piece -> IstioParts.isOne(piece, read))
                        .map(Piece::word)
                        .findFirst()
                        .orElse("none"))
                .isEqualTo(part);
    }
}
