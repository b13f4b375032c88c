package dev.culvert.hbone.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// HPACK (Netty's) and the gathering of a header block from HEADERS and CONTINUATION. Confined to the connection's
/// loop.
final class HeaderBlocks {
    private static final Logger LOG = LoggerFactory.getLogger("h2");
    private static final int MAX_CONTINUATIONS = 16;

    private final DefaultHttp2HeadersEncoder encoder = new DefaultHttp2HeadersEncoder();
    private final DefaultHttp2HeadersDecoder decoder;
    private final long maxBlockBytes;
    private final ByteBuf block;

    private int openStreamId;
    private boolean openEndStream;
    private int continuations;

    HeaderBlocks(ByteBufAllocator allocator, long maxHeaderListBytes) {
        decoder = new DefaultHttp2HeadersDecoder(true, maxHeaderListBytes);
        maxBlockBytes = maxHeaderListBytes;
        block = allocator.heapBuffer(256);
    }

    /// The stream whose header block is not complete yet; 0 if none. No other frame may come meanwhile (RFC 9113
    /// §6.10).
    int openStreamId() {
        return openStreamId;
    }

    boolean openEndStream() {
        return openEndStream;
    }

    void start(int streamId, boolean endStream, ByteBuf fragment) throws H2Exception {
        openStreamId = streamId;
        openEndStream = endStream;
        continuations = 0;
        block.clear();
        append(fragment);
    }

    void continuation(int streamId, ByteBuf fragment) throws H2Exception {
        if (openStreamId == 0 || openStreamId != streamId) {
            throw new H2Exception(ErrorCode.PROTOCOL_ERROR, "unexpected CONTINUATION");
        }
        if (++continuations > MAX_CONTINUATIONS) {
            throw new H2Exception(
                    PeerLimit.CONTINUATIONS,
                    ErrorCode.PROTOCOL_ERROR,
                    "more than " + MAX_CONTINUATIONS + " CONTINUATION frames");
        }
        append(fragment);
    }

    private void append(ByteBuf fragment) throws H2Exception {
        if (block.readableBytes() + fragment.readableBytes() > maxBlockBytes) {
            throw new H2Exception(
                    PeerLimit.HEADER_BYTES,
                    ErrorCode.ENHANCE_YOUR_CALM,
                    "header block over " + maxBlockBytes + " bytes");
        }
        block.writeBytes(fragment);
    }

    /// Null if the headers are malformed, which is the stream's fault only (RFC 9113 §8.1.1).
    @Nullable
    Http2Headers finish() throws H2Exception {
        var streamId = openStreamId;
        openStreamId = 0;
        try {
            return decoder.decodeHeaders(streamId, block);
        } catch (Http2Exception.HeaderListSizeException tooLong) {
            throw new H2Exception(PeerLimit.HEADER_BYTES, code(tooLong), "header block: " + tooLong.getMessage());
        } catch (Http2Exception.StreamException malformed) {
            LOG.debug("malformed headers on stream {}: {}", streamId, malformed.getMessage());
            return null;
        } catch (Http2Exception bad) {
            throw new H2Exception(code(bad), "header block: " + bad.getMessage());
        }
    }

    private static ErrorCode code(Http2Exception bad) {
        return ErrorCode.of(bad.error().code());
    }

    ByteBuf encode(ByteBufAllocator allocator, int streamId, Http2Headers headers) {
        var out = allocator.buffer(256);
        try {
            encoder.encodeHeaders(streamId, headers, out);
            return out;
        } catch (Http2Exception bad) {
            out.release();
            throw new IllegalArgumentException("headers cannot be encoded: " + headers, bad);
        }
    }

    /// The peer's decoder tells how large our encoder's table may be.
    void peerTableSize(long bytes) throws H2Exception {
        try {
            encoder.configuration().maxHeaderTableSize(Math.min(bytes, 4096));
        } catch (Http2Exception bad) {
            throw new H2Exception(code(bad), "HEADER_TABLE_SIZE " + bytes);
        }
    }

    void close() {
        block.release();
        encoder.close();
    }
}
