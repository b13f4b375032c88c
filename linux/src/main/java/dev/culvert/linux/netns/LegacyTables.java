package dev.culvert.linux.netns;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import dev.culvert.linux.fd.OwnedFd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// The rules of the older iptables in a network namespace. The kernel tells nobody when they change;
/// one has to look.
public final class LegacyTables {
    private static final int IPPROTO_RAW = 255;
    private static final int GET_INFO = 64; // IPT_SO_GET_INFO, IP6T_SO_GET_INFO
    private static final int GET_ENTRIES = 65;
    private static final int NAME_BYTES = 32;
    /// `struct ipt_getinfo`; its last member is the size of the entries.
    private static final int INFO_BYTES = 84;

    private static final int SIZE_AT = 80;
    /// `struct ipt_get_entries` before the entries.
    private static final int HEAD_BYTES = 40;

    private static final int MOST_BYTES = 16 << 20;

    /// @param names a file with the names of the tables that are in use
    /// @param nextAt where, in an entry, its own size is
    /// @param countersAt where the two counters are, which change with each packet
    private record Family(int domain, int level, String names, int nextAt, int countersAt) {}

    private static final Family V4 = new Family(Libc.AF_INET, 0, "ip_tables_names", 90, 96);
    private static final Family V6 = new Family(Libc.AF_INET6, 41, "ip6_tables_names", 142, 152);

    private LegacyTables() {}

    /// A number of all rules in the calling thread's network namespace, of both IP families: another
    /// one, but for chance, after a change of any.
    /// @throws LinuxException EPERM without CAP_NET_ADMIN
    public static int fingerprint() throws IOException {
        return 31 * fingerprint(V4) + fingerprint(V6);
    }

    private static int fingerprint(Family family) throws IOException {
        var names = Path.of("/proc/thread-self/net", family.names);
        if (!Files.exists(names)) {
            return 0;
        }
        var number = 1;
        for (var table : Files.readAllLines(names).stream().sorted().toList()) {
            number = 31 * number + table.hashCode();
            number = 31 * number + fingerprint(family, table);
        }
        return number;
    }

    private static int fingerprint(Family family, String table) throws IOException {
        try (var arena = Arena.ofConfined();
                var fd = OwnedFd.adopt((int) Libc.SOCKET.invoke(
                        family.domain + ", IPPROTO_RAW",
                        family.domain,
                        Libc.SOCK_RAW | Libc.SOCK_CLOEXEC,
                        IPPROTO_RAW))) {
            var info = arena.allocate(INFO_BYTES, 4);
            get(family, table, fd, GET_INFO, info, arena);
            var size = info.get(JAVA_INT, SIZE_AT);
            if (size < 0 || size > MOST_BYTES) {
                throw new IOException("table " + table + " has " + size + " bytes");
            }
            var entries = arena.allocate(HEAD_BYTES + size, 8);
            entries.set(JAVA_INT, NAME_BYTES, size);
            get(family, table, fd, GET_ENTRIES, entries, arena); // EAGAIN if it has just changed
            return Arrays.hashCode(withoutCounters(family, entries.asSlice(HEAD_BYTES)));
        }
    }

    private static byte[] withoutCounters(Family family, MemorySegment entries) {
        var at = 0L;
        while (at + family.countersAt + 16 <= entries.byteSize()) {
            entries.asSlice(at + family.countersAt, 16).fill((byte) 0);
            var next = entries.get(JAVA_SHORT, at + family.nextAt) & 0xffff;
            if (next == 0) {
                break;
            }
            at += next;
        }
        return entries.toArray(JAVA_BYTE);
    }

    private static void get(Family family, String table, OwnedFd fd, int option, MemorySegment into, Arena arena)
            throws LinuxException {
        into.setString(0, table.substring(0, Math.min(table.length(), NAME_BYTES - 1)));
        var length = arena.allocateFrom(JAVA_INT, (int) into.byteSize());
        Libc.GETSOCKOPT.invoke(table + ", " + option, fd.number(), family.level, option, into, length);
    }
}
