package dev.culvert.hbone.codec;

import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import java.util.ArrayList;
import java.util.List;

/// Header blocks as a stranger could write them, two on one connection, for the table is theirs. What is read is within
/// the limit, and means the same when we write it.
public final class HpackFuzz {
    private static final int LIMIT = 8192;

    private HpackFuzz() {}

    static List<byte[]> samples() {
        var blocks = new HeaderBlocks(UnpooledByteBufAllocator.DEFAULT, LIMIT);
        var samples = new ArrayList<byte[]>();
        for (var authority : List.of("198.18.1.2:80", "cart.shop.svc.cluster.local:8080")) {
            var headers = new DefaultHttp2Headers()
                    .method("CONNECT")
                    .authority(authority)
                    .add("baggage", "k8s.namespace.name=shop")
                    .add("forwarded", "for=\"198.18.0.1:1\"");
            var block = blocks.encode(UnpooledByteBufAllocator.DEFAULT, 1, headers);
            var bytes = new byte[1 + block.readableBytes()];
            bytes[0] = (byte) 0xff;
            block.readBytes(bytes, 1, bytes.length - 1);
            block.release();
            samples.add(bytes);
        }
        blocks.close();
        return samples;
    }

    /// The first byte says where the first block ends and the second begins.
    public static void fuzzerTestOneInput(byte[] data) {
        if (data.length == 0) {
            return;
        }
        var cut = Math.min(data.length, 1 + (data[0] & 0xff));
        var theirs = new HeaderBlocks(UnpooledByteBufAllocator.DEFAULT, LIMIT);
        try {
            read(theirs, 1, data, 1, cut);
            read(theirs, 3, data, cut, data.length);
        } catch (H2Exception _) {
            return;
        } finally {
            theirs.close();
        }
    }

    private static void read(HeaderBlocks theirs, int stream, byte[] data, int from, int to) throws H2Exception {
        theirs.start(stream, false, Unpooled.wrappedBuffer(data, from, to - from));
        var headers = theirs.finish();
        if (headers == null) {
            return; // malformed: the stream ends, the table goes on
        }
        var bytes = 0L;
        for (var header : headers) {
            bytes += header.getKey().length() + header.getValue().length() + 32;
        }
        if (bytes > LIMIT) {
            throw new AssertionError(bytes + " bytes of headers");
        }
        again(headers);
    }

    private static void again(Http2Headers headers) throws H2Exception {
        var ours = new HeaderBlocks(UnpooledByteBufAllocator.DEFAULT, 2 * LIMIT);
        var block = ours.encode(UnpooledByteBufAllocator.DEFAULT, 1, headers);
        try {
            ours.start(1, false, block);
            if (!headers.equals(ours.finish())) {
                throw new AssertionError("other headers than " + headers);
            }
        } finally {
            block.release();
            ours.close();
        }
    }
}
