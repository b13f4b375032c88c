package dev.culvert.agent.install;

import dev.culvert.json.Json;
import dev.culvert.json.JsonException;
import dev.culvert.json.JsonReader;
import dev.culvert.json.JsonWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/// Puts our plugin at the end of the chain that a file of the CNI configuration folder describes, or takes it out.
/// Pure; what it does not know it keeps.
final class NetworkFile {
    static final String TYPE = "culvert-cni";
    private static final String LIST = ".conflist";
    private static final String SINGLE = ".conf";

    private NetworkFile() {}

    /// What is to be done with a file.
    sealed interface Edit {
        /// Nothing.
        record None() implements Edit {}

        /// It gets `text`, and the name `name` if that is another.
        record Write(String name, String text) implements Edit {}

        /// It cannot be read: it is being written, or needs mending.
        record Unreadable(String why) implements Edit {}

        /// It is fine, but nothing for us.
        record Refused(String why) implements Edit {}
    }

    static boolean isOne(String name) {
        return !name.startsWith(".") && (name.endsWith(LIST) || name.endsWith(SINGLE));
    }

    /// @param entry ours, complete
    static Edit install(String name, String text, Json.Obj entry) {
        try {
            var config = JsonReader.read(text);
            if (!(config instanceof Json.Obj object)) {
                return new Edit.Unreadable("it is not an object");
            }
            return name.endsWith(LIST) ? chained(name, object, entry) : converted(name, object, entry);
        } catch (JsonException e) {
            return new Edit.Unreadable(String.valueOf(e.getMessage()));
        }
    }

    private static Edit chained(String name, Json.Obj list, Json.Obj entry) throws JsonException {
        var plugins = list.objects("plugins");
        if (plugins.isEmpty()) {
            return new Edit.Unreadable("\"plugins\" is missing or empty");
        }
        var others = new ArrayList<Json>();
        var ours = new ArrayList<Json.Obj>();
        for (var plugin : plugins) {
            var type = plugin.text("type").orElse("");
            if (type.equals("istio-cni")) {
                return istios();
            }
            if (type.equals(TYPE)) {
                ours.add(plugin);
            } else {
                others.add(plugin);
            }
        }
        if (others.isEmpty()) {
            return new Edit.Refused("no other plugin is in it, and ours makes no interfaces");
        }
        if (ours.size() == 1 && JsonWriter.write(ours.getFirst()).equals(JsonWriter.write(entry))) {
            return new Edit.None();
        }
        others.add(entry);
        return write(name, list, others);
    }

    /// A single plugin becomes a list of two. It keeps its network's name, by which IPAM plugins keep addresses.
    private static Edit converted(String name, Json.Obj plugin, Json.Obj entry) throws JsonException {
        var type = plugin.text("type").orElse("");
        if (type.isEmpty()) {
            return new Edit.Unreadable("\"type\" is missing");
        }
        if (type.equals("istio-cni")) {
            return istios();
        }
        if (type.equals(TYPE)) {
            return new Edit.Refused("no other plugin is in it, and ours makes no interfaces");
        }
        var list = new LinkedHashMap<String, Json>();
        list.put("cniVersion", plugin.get("cniVersion").orElse(new Json.Str("0.3.1")));
        list.put("name", plugin.get("name").orElse(new Json.Str("k8s-pod-network")));
        var alone = new LinkedHashMap<>(plugin.members());
        alone.remove("cniVersion");
        alone.remove("name");
        var newName = name.substring(0, name.length() - SINGLE.length()) + LIST;
        return write(newName, Json.Obj.of(list), List.of(Json.Obj.of(alone), entry));
    }

    /// Whether a plugin of the chain takes another file of the folder for its own network, as Multus does: a copy
    /// of its chain would lead it to itself.
    static boolean readsOthers(String text) {
        try {
            if (JsonReader.read(text) instanceof Json.Obj list) {
                for (var plugin : list.objects("plugins")) {
                    if (plugin.text("type").orElse("").startsWith("multus")) {
                        return true;
                    }
                }
            }
            return false;
        } catch (JsonException e) {
            return true;
        }
    }

    /// The chain without us.
    static Edit remove(String name, String text) {
        try {
            if (!name.endsWith(LIST) || !(JsonReader.read(text) instanceof Json.Obj list)) {
                return new Edit.None();
            }
            var others = new ArrayList<Json>();
            for (var plugin : list.objects("plugins")) {
                if (!plugin.text("type").orElse("").equals(TYPE)) {
                    others.add(plugin);
                }
            }
            var same = others.size() == list.objects("plugins").size();
            return same ? new Edit.None() : write(name, list, others);
        } catch (JsonException e) {
            return new Edit.Unreadable(String.valueOf(e.getMessage()));
        }
    }

    private static Edit istios() {
        return new Edit.Refused("Istio's plugin istio-cni is in it; remove that first, one of the two must enrol pods");
    }

    private static Edit write(String name, Json.Obj list, List<? extends Json> plugins) {
        var members = new LinkedHashMap<>(list.members());
        members.put("plugins", new Json.Arr(List.copyOf(plugins)));
        return new Edit.Write(name, JsonWriter.pretty(Json.Obj.of(members)));
    }
}
