package dev.culvert.cli.app;

import java.net.InetSocketAddress;
import java.net.URI;

/// `host:port`, `[v6]:port` or a URL.
record Target(String host, int port, String path) {

    static Target parse(String text) {
        var uri = URI.create(text.contains("://") ? text : "tcp://" + text);
        if (uri.getHost() == null) {
            throw new IllegalArgumentException("not host:port or a URL: " + text);
        }
        var port = uri.getPort() >= 0 ? uri.getPort() : 80;
        var path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        return new Target(uri.getHost(), port, path);
    }

    /// Looked up anew at each call.
    InetSocketAddress address() {
        var bare = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
        return new InetSocketAddress(bare, port);
    }
}
