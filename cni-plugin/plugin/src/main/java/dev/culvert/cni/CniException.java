package dev.culvert.cni;

/// A command failed; what the runtime is told.
final class CniException extends Exception {
    private final Code code;
    private final String details;

    /// The error codes of the CNI specification ("Error"), and one of ours.
    enum Code {
        INCOMPATIBLE_VERSION(1),
        UNKNOWN_CONTAINER(3),
        BAD_ENVIRONMENT(4),
        IO_FAILURE(5),
        BAD_CONTENT(6),
        BAD_CONFIG(7),
        TRY_AGAIN(11),
        NOT_AVAILABLE(50),
        /// The agent answered that it will not do it, and would not if asked again.
        REFUSED(100);

        final int number;

        Code(int number) {
            this.number = number;
        }
    }

    /// @param details what to look at next
    CniException(Code code, String message, String details) {
        super(message, null, false, false);
        this.code = code;
        this.details = details;
    }

    Code code() {
        return code;
    }

    String details() {
        return details;
    }

    String message() {
        return String.valueOf(getMessage());
    }
}
