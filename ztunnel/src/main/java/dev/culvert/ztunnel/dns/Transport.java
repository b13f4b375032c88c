package dev.culvert.ztunnel.dns;

/// By what a question came; by the same it is passed on.
enum Transport {
    UDP("udp"),
    TCP("tcp");

    private final String label;

    Transport(String label) {
        this.label = label;
    }

    String label() {
        return label;
    }
}
