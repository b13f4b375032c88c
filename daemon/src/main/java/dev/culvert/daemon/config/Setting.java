package dev.culvert.daemon.config;

/// One key that a process read: what it is for the documents, and what it got for the admin page.
///
/// @param type the accepted form, such as `duration` or `1..65535`
/// @param defaultText as it would be written in the environment; empty if there is none
/// @param value as in force; `***` for secrets
public record Setting(String name, String type, String defaultText, String sentence, String value, Origin origin) {
    /// Where the value came from.
    public enum Origin {
        DEFAULT,
        ENVIRONMENT
    }
}
