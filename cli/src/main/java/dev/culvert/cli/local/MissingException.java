package dev.culvert.cli.local;

import java.io.IOException;

/// Something that a command needs is not there: a running mesh, a pod, a program. Exit code 3.
public final class MissingException extends IOException {
    public MissingException(String message) {
        super(message);
    }
}
