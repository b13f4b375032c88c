package dev.culvert.linux;

/// The kernel's error numbers that this module tells apart; they are the same on x86_64 and aarch64.
public enum Errno {
    EPERM(1),
    ENOENT(2),
    ESRCH(3),
    EINTR(4),
    EIO(5),
    ENXIO(6),
    EBADF(9),
    EAGAIN(11),
    ENOMEM(12),
    EACCES(13),
    EFAULT(14),
    EBUSY(16),
    EEXIST(17),
    ENODEV(19),
    ENOTDIR(20),
    EINVAL(22),
    ENFILE(23),
    EMFILE(24),
    ENOTTY(25),
    EPIPE(32),
    ENAMETOOLONG(36),
    ERESTART(85),
    EMSGSIZE(90),
    EPROTONOSUPPORT(93),
    EOPNOTSUPP(95),
    EADDRINUSE(98),
    ENETDOWN(100),
    ECONNRESET(104),
    ENOBUFS(105),
    ENOTCONN(107),
    ETOOMANYREFS(109),
    ETIMEDOUT(110),
    ECONNREFUSED(111),
    /// Any other number; the exception's message has it.
    OTHER(0);

    private final int number;

    Errno(int number) {
        this.number = number;
    }

    /// The name of an error number, or `OTHER`.
    public static Errno of(int number) {
        for (var errno : values()) {
            if (errno.number == number) {
                return errno;
            }
        }
        return OTHER;
    }
}
