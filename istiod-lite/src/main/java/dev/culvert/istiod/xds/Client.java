package dev.culvert.istiod.xds;

/// The conversation with one client.
sealed interface Client permits Conversation {
    void start();

    /// What it calls itself.
    String name();

    /// What is published changed.
    void wake();

    XdsServer.ClientStatus status();
}
