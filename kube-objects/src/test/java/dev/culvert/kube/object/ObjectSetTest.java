package dev.culvert.kube.object;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.read.YamlReader;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ObjectSetTest {
    private static ObjectSet set(String... names) {
        var yaml = new StringBuilder();
        for (var name : names) {
            yaml.append("---\napiVersion: v1\nkind: Service\nmetadata: {namespace: ")
                    .append(name.replace("/", ", name: "))
                    .append("}\nspec: {ports: [{port: 80}]}\n");
        }
        yaml.append("---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n");
        return ObjectSet.of(
                YamlReader.read(Path.of("set.yaml"), yaml.toString()).objects(), List.of());
    }

    @Test
    void ofAKindAndOfAKindInANamespaceInTheOrderOfKeys() {
        var set = set("b/two", "a/two", "b/one");
        assertThat(set.services())
                .extracting(Service::namespace, Service::name)
                .hasToString("[(\"a\", \"two\"), (\"b\", \"one\"), (\"b\", \"two\")]");
        assertThat(set.all(Service.class, "b")).extracting(Service::name).containsExactly("one", "two");
        assertThat(set.all(Service.class, "c")).isEmpty();
        assertThat(set.all(Pod.class, "b")).isEmpty();
        assertThat(set.all(KubeObject.class)).hasSize(4);
        assertThat(set.namespaces()).hasSize(1);
    }

    @Test
    void equalByWhatIsInIt() {
        assertThat(set("a/one", "a/two")).isEqualTo(set("a/one", "a/two")).hasSameHashCodeAs(set("a/one", "a/two"));
        assertThat(set("a/one")).isNotEqualTo(set("a/two"));
    }
}
