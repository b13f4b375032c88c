package dev.culvert.istiod.app;

import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// @param objectsDir replaces what the config folders say of the same object
/// @param stateDir keys (0600), `root-cert.pem`, `tokens/<node>/istio-token`, `problems.json`, `last-good`
/// (copies of the folders' files)
/// @param addresses further addresses in our own certificate
record IstiodConfig(
        List<Path> configDirs,
        @Nullable Path objectsDir,
        @Nullable Path redirectionDir,
        Path stateDir,
        List<InetAddress> addresses,
        int grpcPort,
        int monitoringPort,
        String clusterId,
        String trustDomain,
        String rootNamespace) {
    IstiodConfig {
        configDirs = List.copyOf(configDirs);
        addresses = List.copyOf(addresses);
    }

    /// In the order of rising precedence.
    List<Path> folders() {
        var folders = new ArrayList<>(configDirs);
        if (objectsDir != null) {
            folders.add(objectsDir);
        }
        return folders;
    }
}
