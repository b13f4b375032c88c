package dev.culvert.e2e.kube.echo;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.TreeMap;

/// Unary calls of gRPC, one after the other on one connection.
final class GrpcCaller {
    private static final int WAIT_MILLIS = 15_000;

    private GrpcCaller() {}

    /// @return a line for each pod: how often it answered, 200, pod; "0 -" for calls without a message
    static String call(int count, String authority, List<String> headers) throws IOException {
        var all = new LinkedHashMap<String, String>();
        all.put(":method", "POST");
        all.put(":scheme", "http");
        all.put(":path", "/echo.Echo/Say");
        all.put(":authority", authority);
        all.put("content-type", "application/grpc");
        all.put("te", "trailers");
        for (var header : headers) {
            all.put(header.substring(0, header.indexOf(':')), header.substring(header.indexOf(':') + 1));
        }
        var colon = authority.lastIndexOf(':');
        var seen = new TreeMap<String, Integer>();
        try (var socket = new Socket(authority.substring(0, colon), Integer.parseInt(authority.substring(colon + 1)))) {
            socket.setSoTimeout(WAIT_MILLIS);
            socket.setTcpNoDelay(true);
            var out = socket.getOutputStream();
            var in = new BufferedInputStream(socket.getInputStream());
            out.write(Http2.PREFACE.getBytes(StandardCharsets.US_ASCII));
            Http2.write(out, Http2.SETTINGS, 0, 0, new byte[0]);
            for (var i = 0; i < count; i++) {
                var stream = 2 * i + 1;
                Http2.write(out, Http2.HEADERS, Http2.END_HEADERS, stream, Http2.literals(all));
                Http2.write(out, Http2.DATA, Http2.END_STREAM, stream, Http2.message(""));
                var pod = answer(in, socket, stream);
                seen.merge(pod.isEmpty() ? "0 -" : "200 " + pod, 1, Integer::sum);
            }
        }
        return Caller.told(seen);
    }

    private static String answer(BufferedInputStream in, Socket socket, int stream) throws IOException {
        var message = "";
        while (true) {
            var frame = Http2.read(in, socket.getOutputStream());
            if (frame.type() == Http2.GOAWAY || (frame.stream() == stream && frame.type() == Http2.RESET)) {
                return "";
            }
            if (frame.stream() == stream
                    && frame.type() == Http2.DATA
                    && !frame.message().isEmpty()) {
                message = frame.message();
            }
            if (frame.stream() == stream && frame.endsStream()) {
                return message;
            }
        }
    }
}
