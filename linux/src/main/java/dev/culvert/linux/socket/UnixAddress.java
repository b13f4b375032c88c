package dev.culvert.linux.socket;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// `struct sockaddr_un`.
final class UnixAddress {
    private static final int PATH_BYTES = 108;
    private static final int ENAMETOOLONG = 36;

    private UnixAddress() {}

    static MemorySegment of(Path path, Arena arena) throws LinuxException {
        var name = path.toString().getBytes(StandardCharsets.UTF_8);
        if (name.length >= PATH_BYTES) {
            throw new LinuxException("sockaddr_un", path + ", at most " + (PATH_BYTES - 1) + " bytes", ENAMETOOLONG);
        }
        var address = arena.allocate(2 + name.length + 1, 2);
        address.set(JAVA_SHORT, 0, (short) Libc.AF_UNIX);
        MemorySegment.copy(name, 0, address, JAVA_BYTE, 2, name.length);
        return address;
    }
}
