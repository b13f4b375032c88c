package dev.culvert.e2e.kube.echo;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// What this pod is told to ask of others: words with tabs between them, one order on a connection.
final class Orders {
    static final int PORT = 9900;
    private static final int LONGEST = 16_384;

    private Orders() {}

    static void take(InputStream in, OutputStream out) throws Exception {
        var order = Lines.read(in, LONGEST);
        if (order != null) {
            out.write(obey(List.of(order.split("\t", -1))).getBytes(StandardCharsets.UTF_8));
        }
    }

    static String obey(List<String> words) throws Exception {
        var rest = words.subList(1, words.size());
        return switch (words.getFirst()) {
            case "get" -> get(rest.getFirst(), rest.subList(1, rest.size()));
            case "call" ->
                Caller.call(
                        Integer.parseInt(rest.get(0)),
                        Integer.parseInt(rest.get(1)),
                        rest.get(2),
                        rest.get(3),
                        rest.subList(4, rest.size()));
            case "grpc" -> GrpcCaller.call(Integer.parseInt(rest.get(0)), rest.get(1), rest.subList(2, rest.size()));
            default -> throw new IllegalArgumentException("unknown: " + words);
        };
    }

    private static String get(String url, List<String> headers) throws IOException {
        var answer = Caller.once("GET", url, headers);
        if (answer.status() != 200) {
            throw new IOException(url + " answers " + answer.status());
        }
        return answer.body();
    }
}
