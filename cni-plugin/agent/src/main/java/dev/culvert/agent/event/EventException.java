package dev.culvert.agent.event;

/// A request is answered by a status that is not 200, and a reason.
final class EventException extends Exception {
    private final int status;

    EventException(int status, String reason) {
        super(reason, null, false, false);
        this.status = status;
    }

    int status() {
        return status;
    }

    String reason() {
        return String.valueOf(getMessage());
    }
}
