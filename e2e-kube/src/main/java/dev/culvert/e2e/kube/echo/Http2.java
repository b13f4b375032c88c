package dev.culvert.e2e.kube.echo;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Map;

/// As much of HTTP/2 as it takes to answer every request with 200 and the pod's name, as a message of gRPC. What was
/// asked is not read.
final class Http2 {
    static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    static final int REST_OF_PREFACE = PREFACE.length() - "PRI * HTTP/2.0\r\n".length();
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int RESET = 3;
    static final int SETTINGS = 4;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int END_STREAM = 1;
    static final int END_HEADERS = 4;
    static final int PREFIX = 5;
    private static final int ACK = 1;
    private static final int STATUS_200 = 0x88;

    private Http2() {}

    /// @param message what a message of gRPC says, if the frame holds one
    record Frame(int type, int flags, int stream, String message) {
        boolean endsStream() {
            return (type == DATA || type == HEADERS) && (flags & END_STREAM) != 0;
        }
    }

    static void serve(InputStream in, OutputStream out, String pod) throws IOException {
        write(out, SETTINGS, 0, 0, new byte[0]);
        var answered = new HashSet<Integer>();
        try {
            while (true) {
                var frame = read(in, out);
                if (frame.endsStream() && answered.add(frame.stream())) {
                    answer(out, frame.stream(), pod);
                }
            }
        } catch (EOFException e) {
            // the end of the conversation
        }
    }

    private static void answer(OutputStream out, int stream, String pod) throws IOException {
        var head = new ByteArrayOutputStream();
        head.write(STATUS_200);
        head.writeBytes(literal("content-type", "application/grpc"));
        head.writeBytes(literal("content-length", "" + message(pod).length));
        write(out, HEADERS, END_HEADERS, stream, head.toByteArray());
        write(out, DATA, 0, stream, message(pod));
        write(out, HEADERS, END_HEADERS | END_STREAM, stream, literal("grpc-status", "0"));
    }

    /// A message of gRPC, or of as many bytes.
    static byte[] message(String text) {
        var bytes = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(PREFIX + bytes.length)
                .put((byte) 0)
                .putInt(bytes.length)
                .put(bytes)
                .array();
    }

    static byte[] literals(Map<String, String> headers) {
        var all = new ByteArrayOutputStream();
        headers.forEach((name, value) -> all.writeBytes(literal(name, value)));
        return all.toByteArray();
    }

    /// A header that no table remembers, RFC 7541, section 6.2.2, of less than 127 bytes each.
    private static byte[] literal(String name, String value) {
        return ByteBuffer.allocate(3 + name.length() + value.length())
                .put((byte) 0)
                .put((byte) name.length())
                .put(name.getBytes(StandardCharsets.US_ASCII))
                .put((byte) value.length())
                .put(value.getBytes(StandardCharsets.US_ASCII))
                .array();
    }

    /// The next frame; settings and pings are acknowledged on the way.
    static Frame read(InputStream in, OutputStream out) throws IOException {
        var data = new DataInputStream(in);
        var start = data.readInt();
        var flags = data.readUnsignedByte();
        var stream = data.readInt() & Integer.MAX_VALUE;
        var payload = in.readNBytes(start >>> 8);
        var frame = new Frame(start & 0xff, flags, stream, said(payload));
        if ((frame.type() == SETTINGS || frame.type() == PING) && (flags & ACK) == 0) {
            write(out, frame.type(), ACK, 0, frame.type() == PING ? payload : new byte[0]);
        }
        return frame;
    }

    private static String said(byte[] payload) {
        return payload.length <= PREFIX
                ? ""
                : new String(payload, PREFIX, payload.length - PREFIX, StandardCharsets.UTF_8);
    }

    static void write(OutputStream out, int type, int flags, int stream, byte[] payload) throws IOException {
        out.write(ByteBuffer.allocate(9 + payload.length)
                .putInt(payload.length << 8 | type)
                .put((byte) flags)
                .putInt(stream)
                .put(payload)
                .array());
        out.flush();
    }
}
