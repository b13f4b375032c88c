package dev.culvert.agent.install;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.agent.install.NetworkFile.Edit;
import dev.culvert.json.Json;
import dev.culvert.json.JsonReader;
import dev.culvert.json.JsonWriter;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NetworkFileTest {
    private static final Json.Obj ENTRY =
            PluginInstaller.entry(Path.of("/run/x"), "istio-system", Set.of("kube-system"));
    private static final String OURS = "{'name':'culvert-cni','type':'culvert-cni','cni_agent_run_dir':'/run/x',"
            + "'pod_namespace':'istio-system','exclude_namespaces':['istio-system','kube-system']}";
    private static final String BRIDGE = "{'type':'bridge','x':{'big':1e400,'y':[null,true]}}";

    enum Row {
        LIST(
                "10.conflist",
                "{'cniVersion':'1.0.0','name':'n','plugins':[BRIDGE],'z':1}",
                "10.conflist",
                "{'cniVersion':'1.0.0','name':'n','plugins':[BRIDGE,OURS],'z':1}"),
        LIST_OF_TWO(
                "10.conflist",
                "{'name':'n','plugins':[BRIDGE,{'type':'portmap'}]}",
                "10.conflist",
                "{'name':'n','plugins':[BRIDGE,{'type':'portmap'},OURS]}"),
        PRESENT("10.conflist", "{'name':'n','plugins':[BRIDGE,OURS]}", "", "none"),
        PRESENT_IN_THE_MIDDLE("10.conflist", "{'name':'n','plugins':[BRIDGE,OURS,{'type':'portmap'}]}", "", "none"),
        OUTDATED(
                "10.conflist",
                "{'name':'n','plugins':[BRIDGE,{'type':'culvert-cni'},{'type':'portmap'}]}",
                "10.conflist",
                "{'name':'n','plugins':[BRIDGE,{'type':'portmap'},OURS]}"),
        TWICE(
                "10.conflist",
                "{'name':'n','plugins':[BRIDGE,OURS,OURS]}",
                "10.conflist",
                "{'name':'n','plugins':[BRIDGE,OURS]}"),
        SINGLE(
                "10-x.conf",
                "{'cniVersion':'0.4.0','name':'n','type':'bridge','mtu':1400}",
                "10-x.conflist",
                "{'cniVersion':'0.4.0','name':'n','plugins':[{'type':'bridge','mtu':1400},OURS]}"),
        SINGLE_NAMELESS(
                "10-x.conf",
                "{'type':'bridge'}",
                "10-x.conflist",
                "{'cniVersion':'0.3.1','name':'k8s-pod-network','plugins':[{'type':'bridge'},OURS]}"),
        HALF("10.conflist", "{'name':'n','plugins':[", "", "unreadable"),
        EMPTY("10.conflist", "", "", "unreadable"),
        NOT_AN_OBJECT("10.conflist", "[]", "", "unreadable"),
        NO_PLUGINS("10.conflist", "{'name':'n'}", "", "unreadable"),
        PLUGINS_OF_TEXT("10.conflist", "{'plugins':['a']}", "", "unreadable"),
        TYPE_OF_NUMBER("10.conflist", "{'plugins':[{'type':1}]}", "", "unreadable"),
        SINGLE_TYPELESS("10.conf", "{'name':'n'}", "", "unreadable"),
        ISTIOS("10.conflist", "{'name':'n','plugins':[BRIDGE,{'type':'istio-cni'}]}", "", "refused"),
        ISTIOS_SINGLE("10.conf", "{'type':'istio-cni'}", "", "refused"),
        ALONE("10.conflist", "{'name':'n','plugins':[OURS]}", "", "refused"),
        ALONE_SINGLE("10.conf", "{'type':'culvert-cni'}", "", "refused");

        private final String name;
        private final String text;
        private final String newName;
        private final String outcome;

        Row(String name, String text, String newName, String outcome) {
            this.name = name;
            this.text = json(text);
            this.newName = newName;
            this.outcome = json(outcome);
        }
    }

    private static String json(String text) {
        return text.replace("BRIDGE", BRIDGE).replace("OURS", OURS).replace('\'', '"');
    }

    @ParameterizedTest
    @EnumSource
    void entryIsAppendedAndTheRestIsKept(Row row) throws Exception {
        switch (NetworkFile.install(row.name, row.text, ENTRY)) {
            case Edit.Write(var name, var text) -> {
                assertThat(name).isEqualTo(row.newName);
                assertThat(JsonWriter.write(JsonReader.read(text))).isEqualTo(row.outcome);
                assertThat(NetworkFile.install(name, text, ENTRY)).as("again").isEqualTo(new Edit.None());
            }
            case Edit.None() -> assertThat("none").isEqualTo(row.outcome);
            case Edit.Unreadable(var why) -> {
                assertThat("unreadable").as(why).isEqualTo(row.outcome);
                assertThat(why).isNotBlank();
            }
            case Edit.Refused(var why) -> {
                assertThat("refused").as(why).isEqualTo(row.outcome);
                assertThat(why).isNotBlank();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LIST", "LIST_OF_TWO"})
    void removalIsTheInverse(Row row) throws Exception {
        var installed = (Edit.Write) NetworkFile.install(row.name, row.text, ENTRY);
        var removed = (Edit.Write) NetworkFile.remove(row.name, installed.text());
        assertThat(JsonWriter.write(JsonReader.read(removed.text()))).isEqualTo(row.text);
        assertThat(NetworkFile.remove(row.name, removed.text())).isEqualTo(new Edit.None());
    }

    @Test
    void onlyConfigurationsCount() {
        assertThat(NetworkFile.isOne("10-calico.conflist")).isTrue();
        assertThat(NetworkFile.isOne("10-calico.conf")).isTrue();
        assertThat(NetworkFile.isOne("calico-kubeconfig")).isFalse();
        assertThat(NetworkFile.isOne(".10-calico.conflist.culvert")).isFalse();
        assertThat(NetworkFile.isOne("10-calico.conflist.cilium_bak")).isFalse();
    }
}
