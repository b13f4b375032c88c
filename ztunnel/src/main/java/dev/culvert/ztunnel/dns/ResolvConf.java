package dev.culvert.ztunnel.dns;

import dev.culvert.mesh.model.workload.Addresses;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a `resolv.conf` says (resolv.conf(5)).
/// @param search domains in lower case, without final dot; of several lists the last one counts
record ResolvConf(List<InetAddress> servers, List<String> search) {
    /// As many as the C library takes.
    private static final int MAX_SERVERS = 3;

    private static final int MAX_DOMAINS = 32;
    private static final int PORT = 53;
    private static final long MAX_BYTES = 64 * 1024;
    private static final Logger LOG = LoggerFactory.getLogger("dns");

    ResolvConf {
        servers = List.copyOf(servers);
        search = List.copyOf(search);
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
            return new ResolvConf(List.of(), List.of());
        }
    }

    /// Lines of other kinds, and what is no address, are passed over. A scope (`fe80::1%eth0`) is of another namespace:
    /// such a server cannot be reached from a pod.
    static ResolvConf parse(String text) {
        var servers = new ArrayList<InetAddress>();
        var search = List.<String>of();
        for (var line : text.lines().toList()) {
            var words = line.strip().split("\\s+", -1);
            if (words.length >= 2 && words[0].equals("nameserver") && servers.size() < MAX_SERVERS) {
                Addresses.parse(words[1]).ifPresent(servers::add);
            } else if (words[0].equals("search") || (words[0].equals("domain") && words.length >= 2)) {
                search = domains(words);
            }
        }
        return new ResolvConf(servers, search);
    }

    private static List<String> domains(String[] words) {
        return Stream.of(words)
                .skip(1)
                .map(domain -> domain.toLowerCase(Locale.ROOT).replaceFirst("\\.$", ""))
                .filter(domain -> !domain.isEmpty())
                .limit(MAX_DOMAINS)
                .toList();
    }

    /// All but the addresses where the proxy itself listens.
    List<InetSocketAddress> without(List<InetSocketAddress> own) {
        return servers.stream()
                .map(server -> new InetSocketAddress(server, PORT))
                .filter(server -> !own.contains(server))
                .toList();
    }
}
