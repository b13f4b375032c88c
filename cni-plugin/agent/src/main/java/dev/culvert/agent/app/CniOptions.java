package dev.culvert.agent.app;

import dev.culvert.agent.event.EventLimits;
import dev.culvert.agent.event.EventServer;
import dev.culvert.agent.event.PluginEvents;
import dev.culvert.agent.install.PluginInstaller;
import dev.culvert.agent.pods.PodReconciler;
import dev.culvert.agent.pods.Selection;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// What the agent does for the container runtime; nothing in local mode.
final class CniOptions {
    private static final String SOCKET = "pluginevent.sock";

    @Option(
            names = "--cniAgentRunDir",
            paramLabel = "DIR",
            defaultValue = "${env:CNI_AGENT_RUN_DIR}",
            description = "Where the CNI plugin asks (CNI_AGENT_RUN_DIR); without it nobody is answered.")
    @Nullable
    Path runDir;

    @Option(
            names = "--cniConfDir",
            paramLabel = "DIR",
            defaultValue = "${env:MOUNTED_CNI_NET_DIR}",
            description =
                    "The runtime's network configurations (MOUNTED_CNI_NET_DIR); without it nothing is installed.")
    @Nullable
    Path confDir;

    @Option(
            names = "--cniConfName",
            paramLabel = "NAME",
            defaultValue = "${env:CNI_CONF_NAME}",
            description =
                    "The file in it that the runtime reads; if not given the first by name, and a copy that comes before it"
                            + " (CNI_CONF_NAME).")
    @Nullable
    String confName;

    @Option(
            names = "--cniBinDir",
            paramLabel = "DIR",
            defaultValue = "${env:CNI_BIN_DIR:-/host/opt/cni/bin}",
            description = "The runtime's plugins (CNI_BIN_DIR).")
    Path binDir = Path.of("");

    @Option(
            names = "--cniPluginDir",
            paramLabel = "DIR",
            defaultValue = "${env:CNI_PLUGIN_DIR:-/opt/culvert-cni}",
            description = "Where the plugin is copied from (CNI_PLUGIN_DIR).")
    Path pluginDir = Path.of("");

    @Option(
            names = "--hostRoot",
            paramLabel = "DIR",
            defaultValue = "${env:HOST_ROOT:-/host}",
            description = "Where the node's files are seen; the runtime's paths begin there (HOST_ROOT).")
    Path hostRoot = Path.of("");

    @Option(
            names = "--removeOnExit",
            description =
                    "Take the plugin out of the runtime's configuration at the end. Not for upgrades: until the next"
                            + " agent is there, pods of the mesh would start without it.")
    boolean removeOnExit;

    /// What runs for the runtime.
    record Running(Optional<EventServer> server, Optional<PluginInstaller> installer, Deque<Closeable> open)
            implements Closeable {
        @Override
        public void close() throws IOException {
            while (!open.isEmpty()) {
                open.pop().close();
            }
        }

        /// Takes the plugin out of the runtime's configuration, now.
        void uninstall() throws IOException {
            if (installer.isPresent() && open.remove(installer.get())) {
                installer.get().uninstall();
            }
        }
    }

    /// Answers first; then the runtime may ask.
    Running start(PodReconciler pods, Selection selection) throws IOException {
        var open = new ArrayDeque<Closeable>();
        if (runDir == null) {
            return new Running(Optional.empty(), Optional.empty(), open);
        }
        var events = new PluginEvents(pods, hostRoot, EventLimits.DEFAULT);
        var server = EventServer.listen(runDir.resolve(SOCKET), events, EventLimits.DEFAULT);
        open.push(server);
        if (confDir == null) {
            return new Running(Optional.of(server), Optional.empty(), open);
        }
        var entry = PluginInstaller.entry(runDir, selection.systemNamespace(), selection.excludedNamespaces());
        var where = new PluginInstaller.Where(
                confDir, Optional.ofNullable(confName), binDir, pluginDir, entry, removeOnExit);
        try {
            var installer = PluginInstaller.start(where);
            open.push(installer);
            return new Running(Optional.of(server), Optional.of(installer), open);
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }
}
