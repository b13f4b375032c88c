package dev.culvert.testkit.backend;

import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;

/// The network on which a mesh of a test stands. One test at a time; close leaves nothing.
public interface Backend extends AutoCloseable {
    /// New loops for one node's ztunnel; the caller closes them.
    EventLoopGroup loops(String node);

    void addNode(String node) throws IOException;

    Place addPod(String node, String pod, List<InetAddress> addresses) throws IOException;

    /// Begins to record what crosses between two nodes.
    Tap tap(String a, String b) throws IOException;

    /// Nothing crosses between two nodes any more; nobody is told.
    void partition(String a, String b) throws IOException;

    /// Ends what [#partition] and [#delay] began.
    void heal(String a, String b) throws IOException;

    /// Each packet between two nodes takes so long, each way.
    void delay(String a, String b, Duration oneWay) throws IOException;

    /// Lets time pass for everything that waits.
    void advance(Duration time);

    @Override
    void close() throws IOException;
}
