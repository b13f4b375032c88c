package dev.culvert.linux.socket;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.culvert.linux.Errno;
import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import java.lang.foreign.Arena;

/// Whether this process may use addresses of others as its own (`IP_TRANSPARENT`, ip(7)): it needs CAP_NET_ADMIN or
/// CAP_NET_RAW.
public final class TransparentSockets {
    private static final int SOCK_STREAM = 1;
    private static final int SOL_IP = 0;
    private static final int IP_TRANSPARENT = 19;

    private TransparentSockets() {}

    /// Tries it on a socket of the calling thread's network namespace.
    public static boolean isAllowed() throws LinuxException {
        var socket = (int) Libc.SOCKET.invoke("AF_INET", Libc.AF_INET, SOCK_STREAM | Libc.SOCK_CLOEXEC, 0);
        try (var arena = Arena.ofConfined()) {
            var on = arena.allocateFrom(JAVA_INT, 1);
            Libc.SETSOCKOPT.invoke("IP_TRANSPARENT", socket, SOL_IP, IP_TRANSPARENT, on, Integer.BYTES);
            return true;
        } catch (LinuxException e) {
            if (e.errno() == Errno.EPERM) {
                return false;
            }
            throw e;
        } finally {
            Libc.CLOSE.invoke(Integer.toString(socket), socket);
        }
    }
}
