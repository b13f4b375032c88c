package dev.culvert.linux.call;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;

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

    public static final NativeCall OPEN = call("open", variadic(2), ADDRESS, JAVA_INT, JAVA_INT);
    public static final NativeCall CLOSE = call("close", none(), JAVA_INT);
    public static final NativeCall FCNTL = call("fcntl", variadic(2), JAVA_INT, JAVA_INT, JAVA_INT);
    public static final NativeCall FSTAT = call("fstat", none(), JAVA_INT, ADDRESS);
    public static final NativeCall FCHMOD = call("fchmod", none(), JAVA_INT, JAVA_INT);
    public static final NativeCall IOCTL = call("ioctl", variadic(2), JAVA_INT, JAVA_LONG, JAVA_LONG);
    public static final NativeCall SETNS = call("setns", none(), JAVA_INT, JAVA_INT);
    public static final NativeCall GETRLIMIT = call("getrlimit", none(), JAVA_INT, ADDRESS);
    public static final NativeCall SETRLIMIT = call("setrlimit", none(), JAVA_INT, ADDRESS);
    public static final NativeCall IF_NAMETOINDEX = call("if_nametoindex", none(), ADDRESS);

    public static final NativeCall SOCKET = call("socket", none(), JAVA_INT, JAVA_INT, JAVA_INT);
    public static final NativeCall BIND = call("bind", none(), JAVA_INT, ADDRESS, JAVA_INT);
    public static final NativeCall LISTEN = call("listen", none(), JAVA_INT, JAVA_INT);
    public static final NativeCall ACCEPT4 = call("accept4", none(), JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
    public static final NativeCall CONNECT = call("connect", none(), JAVA_INT, ADDRESS, JAVA_INT);
    public static final NativeCall SHUTDOWN = call("shutdown", none(), JAVA_INT, JAVA_INT);
    public static final NativeCall POLL = call("poll", none(), ADDRESS, JAVA_LONG, JAVA_INT);
    public static final NativeCall SEND = sized("send", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    public static final NativeCall RECV = sized("recv", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    public static final NativeCall SENDMSG = sized("sendmsg", JAVA_INT, ADDRESS, JAVA_INT);
    public static final NativeCall RECVMSG = sized("recvmsg", JAVA_INT, ADDRESS, JAVA_INT);
    public static final NativeCall GETSOCKOPT =
            call("getsockopt", none(), JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
    public static final NativeCall SETSOCKOPT =
            call("setsockopt", none(), JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);

    private Libc() {}

    private static NativeCall call(String name, Linker.Option[] options, MemoryLayout... arguments) {
        return NativeCall.of(name, FunctionDescriptor.of(JAVA_INT, arguments), options);
    }

    private static NativeCall sized(String name, MemoryLayout... arguments) {
        return NativeCall.of(name, FunctionDescriptor.of(JAVA_LONG, arguments), none());
    }

    private static Linker.Option[] none() {
        return new Linker.Option[0];
    }

    private static Linker.Option[] variadic(int firstVariadic) {
        return new Linker.Option[] {Linker.Option.firstVariadicArg(firstVariadic)};
    }
}
