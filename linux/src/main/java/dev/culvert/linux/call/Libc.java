package dev.culvert.linux.call;

/// The functions of libc that we call. Constants beside them are the same on x86_64 and aarch64.
public final class Libc {
    public static final int O_RDONLY = 0;
    public static final int O_CLOEXEC = 0x80000;

    public static final int F_DUPFD_CLOEXEC = 1030;

    public static final int AF_UNIX = 1;
    public static final int AF_INET = 2;
    public static final int AF_INET6 = 10;
    public static final int AF_NETLINK = 16;
    public static final int AF_PACKET = 17;
    public static final int SOCK_RAW = 3;
    public static final int SOCK_SEQPACKET = 5;
    public static final int SOCK_CLOEXEC = 0x80000;
    public static final int SOL_SOCKET = 1;
    public static final int SHUT_RDWR = 2;
    public static final int MSG_DONTWAIT = 0x40;
    public static final int MSG_NOSIGNAL = 0x4000;

    public static final short POLLIN = 1;
    public static final short POLLOUT = 4;

    public static final NativeCall OPEN = NativeCall.of("open", false);
    public static final NativeCall CLOSE = NativeCall.of("close", false);
    public static final NativeCall FCNTL = NativeCall.of("fcntl", false);
    public static final NativeCall FSTAT = NativeCall.of("fstat", false);
    public static final NativeCall FCHMOD = NativeCall.of("fchmod", false);
    public static final NativeCall IOCTL = NativeCall.of("ioctl", false);
    public static final NativeCall SETNS = NativeCall.of("setns", false);
    public static final NativeCall GETRLIMIT = NativeCall.of("getrlimit", false);
    public static final NativeCall SETRLIMIT = NativeCall.of("setrlimit", false);
    public static final NativeCall IF_NAMETOINDEX = NativeCall.of("if_nametoindex", false);

    public static final NativeCall SOCKET = NativeCall.of("socket", false);
    public static final NativeCall BIND = NativeCall.of("bind", false);
    public static final NativeCall LISTEN = NativeCall.of("listen", false);
    public static final NativeCall ACCEPT4 = NativeCall.of("accept4", false);
    public static final NativeCall CONNECT = NativeCall.of("connect", false);
    public static final NativeCall SHUTDOWN = NativeCall.of("shutdown", false);
    public static final NativeCall POLL = NativeCall.of("poll", false);
    public static final NativeCall SEND = NativeCall.of("send", true);
    public static final NativeCall RECV = NativeCall.of("recv", true);
    public static final NativeCall SENDMSG = NativeCall.of("sendmsg", true);
    public static final NativeCall RECVMSG = NativeCall.of("recvmsg", true);
    public static final NativeCall GETSOCKOPT = NativeCall.of("getsockopt", false);
    public static final NativeCall SETSOCKOPT = NativeCall.of("setsockopt", false);

    private Libc() {}
}
