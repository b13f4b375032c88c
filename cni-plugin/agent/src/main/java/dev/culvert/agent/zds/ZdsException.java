package dev.culvert.agent.zds;

import java.io.IOException;

/// ztunnel does not serve a pod: nobody is connected, it refused, or it did not answer.
public final class ZdsException extends IOException {
    public ZdsException(String message) {
        super(message);
    }
}
