package dev.culvert.ztunnel.dns;

import dev.culvert.mesh.model.workload.Addresses;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The name servers of a `resolv.conf` (resolv.conf(5)); its search list does not matter here.
record ResolvConf(List<InetAddress> servers) {
    /// As many as the C library takes.
    private static final int MAX_SERVERS = 3;

    private static final int PORT = 53;
    private static final long MAX_BYTES = 64 * 1024;
    private static final Logger LOG = LoggerFactory.getLogger("dns");

    ResolvConf {
        servers = List.copyOf(servers);
    }

    /// A file that cannot be read names no server; that is said aloud.
    static ResolvConf read(Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new IOException("more than " + MAX_BYTES + " bytes");
            }
            var found = parse(Files.readString(file));
            if (found.servers.isEmpty()) {
                LOG.warn("{} names no name server: what the mesh does not know is answered with SERVFAIL", file);
            }
            return found;
        } catch (IOException e) {
            LOG.warn("cannot read {}: {}; what the mesh does not know is answered with SERVFAIL", file, e.toString());
            return new ResolvConf(List.of());
        }
    }

    /// Lines of other kinds, and what is no address, are passed over. A scope (`fe80::1%eth0`) is of another namespace:
    /// such a server cannot be reached from a pod.
    static ResolvConf parse(String text) {
        var servers = new ArrayList<InetAddress>();
        for (var line : text.lines().toList()) {
            var words = line.strip().split("\\s+", -1);
            if (words.length >= 2 && words[0].equals("nameserver") && servers.size() < MAX_SERVERS) {
                Addresses.parse(words[1]).ifPresent(servers::add);
            }
        }
        return new ResolvConf(servers);
    }

    /// All but the addresses where the proxy itself listens.
    List<InetSocketAddress> without(List<InetSocketAddress> own) {
        return servers.stream()
                .map(server -> new InetSocketAddress(server, PORT))
                .filter(server -> !own.contains(server))
                .toList();
    }
}
