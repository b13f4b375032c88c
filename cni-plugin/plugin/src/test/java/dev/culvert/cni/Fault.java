package dev.culvert.cni;

import dev.culvert.cni.ScriptedAgent.Behaviour;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// What can go wrong around the plugin, and the code that the runtime gets; 0 if the command succeeds
/// all the same.
@SuppressWarnings("ImmutableEnumChecker") // records of immutable values
enum Fault {
    AGENT_ABSENT("ADD", "the agent's socket does not exist", 11),
    AGENT_ABSENT_EXCLUDED(
            "ADD", "the agent is absent; the pod's namespace is excluded", env("kube-system", "dns-1"), 0),
    AGENT_ABSENT_OWN("ADD", "the agent is absent; the pod is a ztunnel of ours", env("istio-system", "ztunnel-x"), 0),
    AGENT_ABSENT_AGENT(
            "ADD",
            "the agent is absent; the pod is the agent's, in a namespace that is not excluded",
            more(env("istio-system", "istio-cni-node-x"), ",\"exclude_namespaces\":[]"),
            Behaviour.ABSENT,
            0),
    AGENT_ABSENT_SYSTEM(
            "ADD",
            "the agent is absent; another pod of the mesh's namespace, which is not excluded",
            more(env("istio-system", "waypoint-x"), ",\"exclude_namespaces\":[]"),
            Behaviour.ABSENT,
            11),
    AGENT_ABSENT_LIKE_OWN(
            "ADD", "the agent is absent; a pod elsewhere is called as ztunnel's", env("shop", "ztunnel-x"), 11),
    NOT_KUBERNETES("ADD", "the agent is absent; CNI_ARGS names no pod", Map.of("CNI_ARGS", ""), 0),
    AGENT_ABSENT_CHECK("CHECK", "the agent's socket does not exist", 11),
    AGENT_ABSENT_DEL("DEL", "the agent's socket does not exist", 0),
    AGENT_ABSENT_GC("GC", "the agent's socket does not exist", 11),
    AGENT_ABSENT_STATUS("STATUS", "the agent's socket does not exist", 0),
    AGENT_ABSENT_STATUS_REQUIRED(
            "STATUS",
            "the agent's socket does not exist; `status_requires_agent`",
            more(Map.of(), ",\"status_requires_agent\":true"),
            Behaviour.ABSENT,
            50),
    AGENT_SILENT("ADD", "the agent accepts and never answers", Behaviour.SILENT, 11),
    AGENT_SILENT_DEL("DEL", "the agent accepts and never answers", Behaviour.SILENT, 0),
    AGENT_SILENT_CHECK("CHECK", "the agent accepts and never answers", Behaviour.SILENT, 11),
    AGENT_SILENT_STATUS(
            "STATUS",
            "the agent accepts and never answers; `status_requires_agent`",
            more(Map.of(), ",\"status_requires_agent\":true"),
            Behaviour.SILENT,
            50),
    AGENT_STUCK("ADD", "the agent stops in the middle of its answer", Behaviour.HALF_THEN_SILENT, 11),
    AGENT_HANGS_UP("ADD", "the agent hangs up", Behaviour.HANGS_UP, 11),
    AGENT_HALF_HEAD("ADD", "the agent hangs up in the middle of its answer's head", Behaviour.HALF_HEAD, 11),
    AGENT_HALF_BODY("ADD", "the agent hangs up in the middle of its answer's body", Behaviour.HALF_BODY, 11),
    AGENT_NOT_HTTP("ADD", "something else than an agent listens", Behaviour.NOT_HTTP, 11),
    AGENT_NO_STATUS("ADD", "the answer has no status code", Behaviour.NO_STATUS, 11),
    AGENT_HUGE("ADD", "the answer has 128 KiB", Behaviour.HUGE, 11),
    AGENT_HUGE_HEAD("ADD", "the answer's head does not end", Behaviour.HUGE_HEAD, 11),
    AGENT_FAILURE("ADD", "the agent cannot", Behaviour.FAILURE, 11),
    AGENT_FAILURE_DEL("DEL", "the agent cannot", Behaviour.FAILURE, 0),
    AGENT_FAILURE_CHECK("CHECK", "the agent says that the pod is not captured", Behaviour.FAILURE, 11),
    AGENT_FAILURE_GC("GC", "the agent cannot", Behaviour.FAILURE, 11),
    AGENT_BUSY("ADD", "the agent has too much to do", Behaviour.BUSY, 11),
    AGENT_CONTROL("ADD", "the agent's text has control characters", Behaviour.CONTROL_CHARACTERS, 11),
    NETNS_GONE("ADD", "the network namespace is gone, says the agent", Behaviour.BAD_PAYLOAD, 100),
    AGENT_UNKNOWING("ADD", "the agent does not know the command", Behaviour.NOT_FOUND, 100),
    AGENT_UNKNOWING_CHECK("CHECK", "the agent knows no CHECK (Istio's)", Behaviour.NOT_FOUND, 0),
    AGENT_UNKNOWING_DEL("DEL", "the agent knows no DEL (Istio's)", Behaviour.NOT_FOUND, 0),
    AGENT_UNKNOWING_GC("GC", "the agent knows no GC (Istio's)", Behaviour.NOT_FOUND, 0),
    AGENT_NO_LENGTH("ADD", "the answer has no Content-Length", Behaviour.YES_WITHOUT_LENGTH, 0),
    AGENT_OLD("ADD", "the answer is HTTP/1.0", Behaviour.YES_OLD, 0),
    NO_CONTAINER("ADD", "CNI_CONTAINERID is missing", Map.of("CNI_CONTAINERID", ""), 4),
    HOSTILE_CONTAINER("ADD", "CNI_CONTAINERID is a path", Map.of("CNI_CONTAINERID", "../../etc"), 4),
    NO_NETNS("ADD", "CNI_NETNS is missing", Map.of("CNI_NETNS", ""), 4),
    NO_NETNS_DEL("DEL", "CNI_NETNS is missing", Given.env(Map.of("CNI_NETNS", "")), Behaviour.YES, 0),
    HOSTILE_NETNS("ADD", "CNI_NETNS goes up", Map.of("CNI_NETNS", "/run/netns/../../proc/1/ns/net"), 4),
    RELATIVE_NETNS("ADD", "CNI_NETNS is relative", Map.of("CNI_NETNS", "netns/web"), 4),
    BROKEN_NETNS("ADD", "CNI_NETNS has a line break", Map.of("CNI_NETNS", "/run/netns/a\nb"), 4),
    LONG_NETNS("ADD", "CNI_NETNS has 5000 characters", Map.of("CNI_NETNS", "/" + "a".repeat(5000)), 4),
    NO_INTERFACE("ADD", "CNI_IFNAME is missing", Map.of("CNI_IFNAME", ""), 4),
    HOSTILE_INTERFACE("ADD", "CNI_IFNAME is a path", Map.of("CNI_IFNAME", "../eth0"), 4),
    LONG_INTERFACE("ADD", "CNI_IFNAME has 16 characters", Map.of("CNI_IFNAME", "e".repeat(16)), 4),
    BROKEN_ARGS("ADD", "CNI_ARGS is not KEY=VALUE", Map.of("CNI_ARGS", "K8S_POD_NAME"), 4),
    ARGS_TWICE("ADD", "a key stands twice in CNI_ARGS", Map.of("CNI_ARGS", "K8S_POD_NAME=a;K8S_POD_NAME=b"), 4),
    HALF_POD("ADD", "CNI_ARGS names a pod without its namespace", Map.of("CNI_ARGS", "K8S_POD_NAME=a"), 4),
    HOSTILE_POD("ADD", "the pod's name is a path", env("shop", "../../x"), 4),
    HOSTILE_NAMESPACE("ADD", "the pod's namespace is JSON", env("a\",\"b\":\"", "web"), 4),
    HUGE_ARGS("ADD", "CNI_ARGS has 100 KiB", Map.of("CNI_ARGS", "A=" + "x".repeat(100_000)), 4),
    UNKNOWN_COMMAND("GARNISH", "CNI_COMMAND is unknown", 4),
    NOT_JSON("ADD", "stdin is not JSON", "{\"cniVersion\":", 6),
    NO_STDIN("ADD", "stdin is empty", "", 6),
    NOT_AN_OBJECT("ADD", "stdin is a list", "[]", 6),
    HUGE_STDIN("ADD", "stdin has more than 1 MiB", " ".repeat((1 << 20) + 1), 6),
    DEEP_STDIN("ADD", "stdin is nested 100,000 deep", "[".repeat(100_000), 6),
    TWICE("ADD", "a name stands twice in stdin", "{\"cniVersion\":\"1.0.0\",\"cniVersion\":\"1.1.0\"}", 6),
    NO_VERSION("ADD", "cniVersion is missing", "{\"name\":\"n\"}", 1),
    OLD_VERSION("ADD", "cniVersion is 0.2.0", "{\"cniVersion\":\"0.2.0\",\"name\":\"n\"}", 1),
    FUTURE_VERSION("ADD", "cniVersion is 2.0.0", "{\"cniVersion\":\"2.0.0\",\"name\":\"n\"}", 1),
    HUGE_VERSION("ADD", "cniVersion is long", "{\"cniVersion\":\"" + "1".repeat(5000) + "\"}", 1),
    EARLY_CHECK("CHECK", "CHECK with cniVersion 0.3.1", "{\"cniVersion\":\"0.3.1\",\"name\":\"n\"}", 1),
    EARLY_GC("GC", "GC with cniVersion 1.0.0", "{\"cniVersion\":\"1.0.0\",\"name\":\"n\"}", 1),
    EARLY_STATUS("STATUS", "STATUS with cniVersion 1.0.0", "{\"cniVersion\":\"1.0.0\",\"name\":\"n\"}", 1),
    NO_NAME("ADD", "the network has no name", "{\"cniVersion\":\"1.0.0\"}", 7),
    NO_PREVIOUS_CHECK("CHECK", "CHECK without prevResult", "{\"cniVersion\":\"1.0.0\",\"name\":\"n\"}", 7),
    BAD_PREVIOUS("ADD", "prevResult is a text", "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"prevResult\":\"x\"}", 7),
    BAD_ADDRESS("ADD", "an address of prevResult is not one", address("999.0.0.1/24"), Behaviour.YES, 7),
    NO_LENGTH_ADDRESS("ADD", "an address of prevResult has no length", address("10.0.0.1"), Behaviour.YES, 7),
    NAME_ADDRESS("ADD", "an address of prevResult is a host name", address("example.com/24"), Behaviour.YES, 7),
    RELATIVE_RUN_DIR(
            "ADD",
            "cni_agent_run_dir is relative",
            "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"cni_agent_run_dir\":\"x\"}",
            7),
    LONG_RUN_DIR(
            "ADD",
            "cni_agent_run_dir is too long for a socket",
            "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"cni_agent_run_dir\":\"/" + "r".repeat(120) + "\"}",
            7),
    BAD_TIMEOUT(
            "ADD",
            "agent_timeout_seconds is 1000",
            "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"agent_timeout_seconds\":1000}",
            7),
    BAD_EXCLUSION(
            "ADD",
            "exclude_namespaces is a text",
            "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"exclude_namespaces\":\"a\"}",
            7),
    SOCKET_FILE("ADD", "the agent's socket is a plain file", Behaviour.FILE, 11),
    SOCKET_STALE("ADD", "the agent was killed and left its socket", Behaviour.STALE, 11),
    SOCKET_STALE_DEL("DEL", "the agent was killed and left its socket", Behaviour.STALE, 0),
    SOCKET_STALE_CHECK("CHECK", "the agent was killed and left its socket", Behaviour.STALE, 11),
    SOCKET_FOLDER("ADD", "the agent's socket is a folder", Behaviour.FOLDER, 11),
    SOCKET_LINK("ADD", "the agent's socket is a link to nowhere", Behaviour.DANGLING, 11),
    AGENT_REDIRECTS("ADD", "the answer leads elsewhere", Behaviour.REDIRECT, 100),
    AGENT_EMPTY("ADD", "the answer is 204, which is not what was asked for", Behaviour.NO_CONTENT, 100),
    AGENT_FORBIDS("ADD", "the agent refuses the caller", Behaviour.FORBIDDEN, 100),
    AGENT_LINE_ENDS("ADD", "the answer's lines end as no HTTP line does", Behaviour.LINE_FEEDS, 11),
    AGENT_LONG_STATUS("ADD", "the answer's status has four digits", Behaviour.LONG_STATUS, 11),
    AGENT_WORD_LENGTH("ADD", "the answer's Content-Length is a word", Behaviour.WORD_LENGTH, 11),
    AGENT_NEGATIVE_LENGTH("ADD", "the answer's Content-Length is negative", Behaviour.NEGATIVE_LENGTH, 11),
    AGENT_MORE("ADD", "more follows the answer", Behaviour.YES_AND_MORE, 0),
    AGENT_HANGS_UP_CHECK("CHECK", "the agent hangs up", Behaviour.HANGS_UP, 11),
    AGENT_HANGS_UP_DEL("DEL", "the agent hangs up", Behaviour.HANGS_UP, 0),
    AGENT_HANGS_UP_GC("GC", "the agent hangs up", Behaviour.HANGS_UP, 11),
    AGENT_FAILURE_STATUS(
            "STATUS",
            "the agent cannot; `status_requires_agent`",
            more(Map.of(), ",\"status_requires_agent\":true"),
            Behaviour.FAILURE,
            50),
    NO_NETNS_CHECK("CHECK", "CNI_NETNS is missing", Map.of("CNI_NETNS", ""), 4),
    NO_CONTAINER_DEL("DEL", "CNI_CONTAINERID is missing", Map.of("CNI_CONTAINERID", ""), 4),
    OPTION_CONTAINER("ADD", "CNI_CONTAINERID looks like an option", Map.of("CNI_CONTAINERID", "-rf"), 4),
    LONG_CONTAINER("ADD", "CNI_CONTAINERID has 300 characters", Map.of("CNI_CONTAINERID", "a".repeat(300)), 4),
    UP_INTERFACE("ADD", "CNI_IFNAME is ..", Map.of("CNI_IFNAME", ".."), 4),
    SPACE_INTERFACE("ADD", "CNI_IFNAME has a space", Map.of("CNI_IFNAME", "a b"), 4),
    HOSTILE_UID(
            "ADD",
            "the pod's uid is a path",
            Map.of("CNI_ARGS", "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web;K8S_POD_UID=../x"),
            4),
    LONG_POD("ADD", "the pod's name has 300 characters", env("shop", "a".repeat(300)), 4),
    UPPER_NAMESPACE("ADD", "the pod's namespace has a capital", env("Shop", "web"), 4),
    TRAILING_STDIN("ADD", "something follows the object in stdin", "{\"cniVersion\":\"1.0.0\",\"name\":\"n\"}{", 6),
    NAN_STDIN("ADD", "a number in stdin is NaN", "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"x\":NaN}", 6),
    CONTROL_STDIN(
            "ADD",
            "a string in stdin has a control character",
            "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"x\":\"a\u0001\"}",
            6),
    COMMENT_STDIN("ADD", "stdin has a comment", "{\"cniVersion\":\"1.0.0\",\"name\":\"n\"/* x */}", 6),
    NULL_STDIN("ADD", "stdin is null", "null", 6),
    NUMBER_VERSION("ADD", "cniVersion is a number", "{\"cniVersion\":1,\"name\":\"n\"}", 7),
    NUMBER_NAME("ADD", "the network's name is a number", "{\"cniVersion\":\"1.0.0\",\"name\":7}", 7),
    EMPTY_NAME("ADD", "the network's name is empty", "{\"cniVersion\":\"1.0.0\",\"name\":\"\"}", 7),
    NUMBER_RUN_DIR(
            "ADD",
            "cni_agent_run_dir is a number",
            "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"cni_agent_run_dir\":7}",
            7),
    ZERO_TIMEOUT(
            "ADD",
            "agent_timeout_seconds is 0",
            "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"agent_timeout_seconds\":0}",
            7),
    TEXT_TIMEOUT(
            "ADD",
            "agent_timeout_seconds is a text",
            "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"agent_timeout_seconds\":\"5\"}",
            7),
    TEXT_FLAG(
            "ADD",
            "status_requires_agent is a text",
            "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"status_requires_agent\":\"yes\"}",
            7),
    NUMBER_EXCLUSION(
            "ADD",
            "exclude_namespaces has a number",
            "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"exclude_namespaces\":[1]}",
            7),
    BAD_ADDRESSES(
            "ADD",
            "the addresses of prevResult are a text",
            "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"prevResult\":{\"ips\":\"x\"}}",
            7),
    EMPTY_ADDRESS(
            "ADD",
            "an address of prevResult is missing",
            "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"prevResult\":{\"ips\":[{}]}}",
            7),
    LONG_PREFIX("ADD", "an IPv4 address of prevResult has the length 33", address("10.0.0.5/33"), Behaviour.YES, 7),
    LONG_PREFIX_V6("ADD", "an IPv6 address of prevResult has the length 129", address("fd00::1/129"), Behaviour.YES, 7),
    BAD_ATTACHMENTS(
            "GC",
            "the valid attachments are a text",
            more(Map.of(), ",\"cni.dev/valid-attachments\":\"x\""),
            Behaviour.YES,
            7);

    final String command;
    final String what;
    final int code;
    final Behaviour agent;
    private final Given given;

    /// What the runtime says.
    /// @param stdin instead of a good configuration; empty for that
    /// @param more members of the good configuration
    /// @param address in its previous result
    private record Given(Map<String, String> env, Optional<String> stdin, String more, String address) {
        static final Given GOOD = new Given(Map.of(), Optional.empty(), "", "10.0.0.5/24");

        static Given env(Map<String, String> env) {
            return new Given(env, Optional.empty(), "", GOOD.address);
        }
    }

    Fault(String command, String what, Given given, Behaviour agent, int code) {
        this.command = command;
        this.what = what;
        this.given = given;
        this.agent = agent;
        this.code = code;
    }

    Fault(String command, String what, int code) {
        this(command, what, Given.GOOD, Behaviour.ABSENT, code);
    }

    Fault(String command, String what, Behaviour agent, int code) {
        this(command, what, Given.GOOD, agent, code);
    }

    Fault(String command, String what, Map<String, String> env, int code) {
        this(command, what, Given.env(env), Behaviour.ABSENT, code);
    }

    Fault(String command, String what, String stdin, int code) {
        this(command, what, new Given(Map.of(), Optional.of(stdin), "", ""), Behaviour.ABSENT, code);
    }

    private static Given more(Map<String, String> env, String more) {
        return new Given(env, Optional.empty(), more, Given.GOOD.address);
    }

    private static Given address(String address) {
        return new Given(Map.of(), Optional.empty(), "", address);
    }

    private static Map<String, String> env(String namespace, String name) {
        return Map.of("CNI_ARGS", "K8S_POD_NAMESPACE=" + namespace + ";K8S_POD_NAME=" + name);
    }

    Map<String, String> environment() {
        var all = new HashMap<>(PluginProcess.env(command));
        all.putAll(given.env);
        return all;
    }

    String stdin(String runDir) {
        return given.stdin.orElseGet(() -> config(runDir, given.more, given.address));
    }

    static String config(String runDir, String more, String address) {
        return """
                {"cniVersion":"1.1.0","name":"cluster","type":"culvert-cni","unknown":{"kept":[1e400]},
                "cni_agent_run_dir":"%s","agent_timeout_seconds":1%s,"prevResult":%s}""".formatted(runDir, more, previous(address));
    }

    /// With what a reader might lose: a number beyond any type, an escape, spaces, an unknown member.
    static String previous(String address) {
        return """
                { "cniVersion":"1.1.0", "future" : 1e400,
                  "interfaces":[{"name":"eth0","sandbox":"/run/netns/web","mtu":1500}],
                  "ips":[{"address":"%s","gateway":"10.0.0.1","interface":0}],"dns":{"search":["\\u0061"]}}""".formatted(address);
    }
}
