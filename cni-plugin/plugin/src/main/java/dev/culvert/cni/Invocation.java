package dev.culvert.cni;

import dev.culvert.cni.CniException.Code;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// What the runtime says by the environment, checked.
/// @param netns path of the network namespace; empty if the runtime gave none, which only DEL may
/// @param pod empty if the runtime does not speak for Kubernetes
record Invocation(String containerId, String ifName, String netns, Optional<Pod> pod) {
    private static final int MAX_IF_NAME = 15;
    private static final int MAX_PATH = 4095;
    private static final int MAX_ARGS = 1 << 16;
    /// The pod in Kubernetes' words.
    /// @param uid empty if the runtime does not tell it
    record Pod(String namespace, String name, String uid) {}

    static Invocation of(Map<String, String> env, boolean needsNetns) throws CniException {
        var containerId = required(env, "CNI_CONTAINERID");
        check(isContainerId(containerId), "CNI_CONTAINERID", "letters, digits and _ . - , at most 256");
        var ifName = required(env, "CNI_IFNAME");
        checkIfName(ifName);
        var netns = needsNetns ? required(env, "CNI_NETNS") : env.getOrDefault("CNI_NETNS", "");
        if (!netns.isEmpty()) {
            checkPath(netns);
        }
        return new Invocation(containerId, ifName, netns, pod(env.getOrDefault("CNI_ARGS", "")));
    }

    private static Optional<Pod> pod(String args) throws CniException {
        if (args.length() > MAX_ARGS) {
            throw bad("CNI_ARGS", "it has " + args.length() + " characters; " + MAX_ARGS + " are allowed");
        }
        var values = new HashMap<String, String>();
        for (var pair : args.split(";", -1)) {
            var equals = pair.indexOf('=');
            if (equals < 0 && !pair.isBlank()) {
                throw bad("CNI_ARGS", "must be KEY=VALUE;KEY=VALUE");
            }
            if (equals >= 0 && values.put(pair.substring(0, equals), pair.substring(equals + 1)) != null) {
                throw bad("CNI_ARGS", "a key stands twice in it");
            }
        }
        var namespace = values.getOrDefault("K8S_POD_NAMESPACE", "");
        var name = values.getOrDefault("K8S_POD_NAME", "");
        if (namespace.isEmpty() && name.isEmpty()) {
            return Optional.empty();
        }
        check(isName(namespace, 63, false), "K8S_POD_NAMESPACE in CNI_ARGS", "a name of a namespace");
        check(isName(name, 253, true), "K8S_POD_NAME in CNI_ARGS", "a name of a pod");
        var uid = values.getOrDefault("K8S_POD_UID", "");
        check(uid.isEmpty() || isContainerId(uid), "K8S_POD_UID in CNI_ARGS", "a uid");
        return Optional.of(new Pod(namespace, name, uid));
    }

    private static void checkIfName(String name) throws CniException {
        var bad = name.length() > MAX_IF_NAME || name.equals(".") || name.equals("..");
        for (var i = 0; i < name.length(); i++) {
            var c = name.charAt(i);
            bad |= c == '/' || c == ':' || c <= ' ' || c == 0x7f;
        }
        if (bad) {
            throw bad("CNI_IFNAME", "must be a name of an interface: at most 15 characters, no / or : or space");
        }
    }

    private static void checkPath(String path) throws CniException {
        var bad = !path.startsWith("/") || path.length() > MAX_PATH || (path + "/").contains("/../");
        for (var i = 0; i < path.length(); i++) {
            bad |= path.charAt(i) < ' ' || path.charAt(i) == 0x7f;
        }
        if (bad) {
            throw bad("CNI_NETNS", "must be an absolute path without ..");
        }
    }

    private static String required(Map<String, String> env, String key) throws CniException {
        var value = env.getOrDefault(key, "");
        if (value.isEmpty()) {
            throw bad(key, "it is missing");
        }
        return value;
    }

    /// As the specification has it: a letter or digit, then also `_`, `.` and `-`.
    private static boolean isContainerId(String text) {
        var ok = !text.isEmpty() && text.length() <= 256 && isAlphanumeric(text.charAt(0));
        for (var i = 0; i < text.length(); i++) {
            var c = text.charAt(i);
            ok &= isAlphanumeric(c) || c == '_' || c == '.' || c == '-';
        }
        return ok;
    }

    /// A name in Kubernetes: RFC 1123, small letters.
    private static boolean isName(String text, int most, boolean dots) {
        var ok = !text.isEmpty() && text.length() <= most;
        for (var i = 0; i < text.length(); i++) {
            var c = text.charAt(i);
            var edge = i == 0 || i == text.length() - 1;
            ok &= (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (!edge && (c == '-' || (dots && c == '.')));
        }
        return ok;
    }

    private static boolean isAlphanumeric(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }

    private static void check(boolean ok, String key, String wanted) throws CniException {
        if (!ok) {
            throw bad(key, "must be " + wanted);
        }
    }

    private static CniException bad(String key, String why) {
        return new CniException(
                Code.BAD_ENVIRONMENT,
                "environment: " + key + " is not usable",
                why + "; the container runtime sets it");
    }
}
