package dev.culvert.hbone.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;

/// A connection's bytes after preface and SETTINGS as a stranger could write them, all at once and in pieces. The
/// connection stays, or ends as HTTP/2 says; both ways the same streams have the same bytes; nothing is held that was
/// not announced.
public final class FramesFuzz {
    private FramesFuzz() {}

    static List<byte[]> samples() {
        try (var peer = Peer.ofServer()) {
            var connect = peer.connect(1, "198.18.1.2:80");
            var whole = peer.channel.alloc().buffer();
            for (var part : List.of(
                    connect,
                    peer.bytes(FrameTypes.PING, 0, 0, new int[8]),
                    peer.bytes(FrameTypes.WINDOW_UPDATE, 0, 0, 0, 0, 1, 0),
                    peer.bytes(FrameTypes.DATA, FrameTypes.PADDED, 1, 3, 'x', 0, 0, 0),
                    peer.bytes(FrameTypes.SETTINGS, 0, 0, 0, 4, 0, 1, 0, 0),
                    peer.bytes(FrameTypes.DATA, FrameTypes.END_STREAM, 1, 'y'),
                    peer.bytes(FrameTypes.RST_STREAM, 0, 1, 0, 0, 0, 8))) {
                whole.writeBytes(part);
                part.release();
            }
            var bytes = new byte[whole.readableBytes()];
            whole.readBytes(bytes);
            whole.release();
            return List.of(bytes);
        }
    }

    private record Outcome(boolean open, List<String> streams) {}

    public static void fuzzerTestOneInput(byte[] data) {
        var whole = outcome(data, Math.max(1, data.length));
        var pieces = outcome(data, 1 + data.length % 23);
        if (!whole.equals(pieces)) {
            throw new AssertionError(whole + " in one piece, " + pieces + " in several");
        }
    }

    private static Outcome outcome(byte[] data, int piece) {
        try (var peer = Peer.ofServer()) {
            for (var at = 0; at < data.length; at += piece) {
                ByteBuf bytes = Unpooled.copiedBuffer(data, at, Math.min(piece, data.length - at));
                peer.send(bytes);
            }
            if (!peer.channel.isOpen() && peer.broken == null) {
                throw new AssertionError("closed without a word");
            }
            if (peer.accepted.size() > H2Limits.DEFAULTS.local().maxConcurrentStreams() && peer.channel.isOpen()) {
                throw new AssertionError(peer.accepted.size() + " streams");
            }
            var streams = new ArrayList<String>();
            if (peer.channel.isOpen()) {
                peer.seen.forEach(seen -> streams.add(seen.data + (seen.ended ? " ended" : "") + seen.failure));
            }
            return new Outcome(peer.channel.isOpen(), streams);
        }
    }
}
