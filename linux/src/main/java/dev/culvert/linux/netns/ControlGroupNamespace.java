package dev.culvert.linux.netns;

import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import dev.culvert.linux.fd.OwnedFd;
import java.nio.file.Path;

/// From where a thread sees control groups: `/proc/PID/cgroup` and the levels of nftables' `socket
/// cgroupv2` begin there.
public final class ControlGroupNamespace {
    private static final int CLONE_NEWCGROUP = 0x02000000;

    private ControlGroupNamespace() {}

    /// Moves the calling platform thread, and what it starts from then on, for good. Its own group
    /// stays what it is.
    /// @param path such as `/proc/1/ns/cgroup`
    /// @throws LinuxException EPERM without CAP_SYS_ADMIN
    public static void enter(Path path) throws LinuxException {
        if (Thread.currentThread().isVirtual()) {
            throw new IllegalStateException("a virtual thread would leave its carrier in another namespace");
        }
        try (var fd = OwnedFd.open(path)) {
            Libc.SETNS.invoke(path + ", CLONE_NEWCGROUP", fd.number(), CLONE_NEWCGROUP);
        }
    }
}
