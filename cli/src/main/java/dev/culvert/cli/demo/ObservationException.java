package dev.culvert.cli.demo;

/// What was observed is not what the mesh promises.
final class ObservationException extends RuntimeException {
    ObservationException(String message) {
        super(message);
    }
}
