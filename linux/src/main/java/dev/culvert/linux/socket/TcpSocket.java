package dev.culvert.linux.socket;

import java.net.InetSocketAddress;

/// One line of the kernel's TCP table. An IPv4-mapped address is plain IPv4 here.
public record TcpSocket(InetSocketAddress local, InetSocketAddress remote, State state, long inode) {

    /// RFC 9293 §3.3.2, numbered as the kernel does.
    public enum State {
        ESTABLISHED,
        SYN_SENT,
        SYN_RECV,
        FIN_WAIT1,
        FIN_WAIT2,
        TIME_WAIT,
        CLOSE,
        CLOSE_WAIT,
        LAST_ACK,
        LISTEN,
        CLOSING,
        NEW_SYN_RECV,
        BOUND_INACTIVE;

        static State numbered(int number) {
            if (number < 1 || number > values().length) {
                throw new IllegalArgumentException("unknown TCP state " + number);
            }
            return values()[number - 1];
        }
    }
}
