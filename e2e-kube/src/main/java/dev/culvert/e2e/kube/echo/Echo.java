package dev.culvert.e2e.kube.echo;

import java.io.IOException;
import java.util.List;

/// Serves, or calls. Without arguments it answers HTTP/1.1 and HTTP/2 without TLS on 8080, gRPC on 9090 and 50061,
/// says its name to whoever connects to 7000, and takes the first three of these other arguments as lines on port
/// 9900 of its own pod:
///
/// * `get URL NAME:VALUE...`: one request; succeeds if it is answered with 200.
/// * `call COUNT AT-ONCE METHOD URL NAME:VALUE...`: prints how often which status of which pod came.
/// * `grpc COUNT HOST:PORT NAME:VALUE...`: the same of unary calls, one after the other on one connection.
/// * those of a sidecar's or another proxy's container, as whose stand-in it listens on that one's ports.
public final class Echo {
    private Echo() {}

    public static void main(String[] arguments) throws Exception {
        switch (arguments.length == 0 ? "serve" : arguments[0]) {
            case "serve" -> serve();
            case "istio-iptables" -> System.out.println("no rule is made: this is a stand-in");
            case "proxy" -> standIn(15090, 15021);
            case "-c" -> standIn(15001, 15006);
            default -> System.out.print(Orders.obey(List.of(arguments)));
        }
    }

    /// Two of these may share a pod: then the second has another port.
    private static void serve() throws IOException, InterruptedException {
        var name = System.getenv("HOSTNAME");
        var web = new Server(name);
        try {
            web.listen(8080, web::converse);
            web.listen(9090, web::converse);
            web.listen(50061, web::converse);
            web.listen(7000, web::greet);
            web.listenAtHome(Orders.PORT, Orders::take);
        } catch (IOException taken) {
            web.listen(8081, web::converse);
        }
        Thread.sleep(Long.MAX_VALUE);
    }

    private static void standIn(int... ports) throws IOException, InterruptedException {
        var server = new Server("stand-in of " + System.getenv("HOSTNAME"));
        for (var port : ports) {
            server.listen(port, server::converse);
        }
        Thread.sleep(Long.MAX_VALUE);
    }
}
