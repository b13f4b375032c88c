package dev.culvert.istiod.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StrategicMergeTest {
    private static final KubernetesSerialization YAML = new KubernetesSerialization();

    @SuppressWarnings("unchecked")
    private static Map<String, Object> map(String yaml) {
        return YAML.unmarshal("---\n" + yaml, Map.class);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {a: 1, b: {c: 2, d: 3}}                    | {b: {c: 4}}                                      | {a: 1, b: {c: 4, d: 3}}
            {a: 1, b: {c: 2, d: 3}}                    | {a: null, b: {$patch: delete}}                   | {}
            {b: {c: 2, d: 3}}                          | {b: {$patch: replace, e: 5}}                     | {b: {e: 5}}
            {containers: [{name: a, image: x}]}        | {containers: [{name: a, args: [y]}]}             | {containers: [{name: a, image: x, args: [y]}]}
            {containers: [{name: a}]}                  | {containers: [{name: b}]}                        | {containers: [{name: a}, {name: b}]}
            {env: [{name: a, value: x}, {name: b}]}    | {env: [{name: a, $patch: delete}]}               | {env: [{name: b}]}
            {env: [{name: a}]}                         | {env: [{name: b}, {$patch: replace}]}            | {env: [{name: b}]}
            {ports: [{port: 80, name: h}]}             | {ports: [{port: 80, nodePort: 30080}]}           | {ports: [{port: 80, name: h, nodePort: 30080}]}
            {ports: [{containerPort: 80, name: h}]}    | {ports: [{containerPort: 80, hostPort: 8}]}      | {ports: [{containerPort: 80, name: h, hostPort: 8}]}
            {volumeMounts: [{mountPath: /a, name: v}]} | {volumeMounts: [{mountPath: /b, name: v}]}       | {volumeMounts: [{mountPath: /a, name: v}, {mountPath: /b, name: v}]}
            {args: [x, y]}                             | {args: [z]}                                      | {args: [z]}
            {tolerations: [{key: a}]}                  | {tolerations: [{key: b}]}                        | {tolerations: [{key: b}]}
            {a: 1}                                     | {new: {containers: [{name: a, env: [{name: b}]}]}} | {a: 1, new: {containers: [{name: a, env: [{name: b}]}]}}
            """)
    void mergesAsKubernetesDoes(String base, String patch, String merged) {
        assertThat(StrategicMerge.merge(map(base), map(patch))).isEqualTo(map(merged));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {containers: [{image: x}]}       | an element of containers has no name
            {$retainKeys: [a]}               | $retainKeys is not supported
            {$patch: delete}                 | $patch: delete has no effect here
            """)
    void whatCannotBeMergedIsNamed(String patch, String why) {
        assertThatThrownBy(() -> StrategicMerge.merge(Map.of("a", 1), map(patch)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(why);
    }

    @Test
    void theBaseStaysAsItIs() {
        var base = map("{containers: [{name: a}]}");
        StrategicMerge.merge(base, map("{containers: [{name: b}]}"));
        assertThat(base).isEqualTo(map("{containers: [{name: a}]}"));
    }
}
