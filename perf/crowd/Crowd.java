/// Pods that nobody runs, ten or so to a Service, in some namespaces.
interface Crowd {
    int NAMESPACES = 20;
    int NODES = 20;

    int pods();

    /// Gives a pod another version, which its workload names as its canonical revision; returns when that is written.
    void change(int pod, String version) throws Exception;

    /// How a client reaches the controller that serves this crowd.
    ///
    /// @param root certificate of its authority, PEM
    record Access(String root, String token, String namespace) {}

    /// Waits until the controller has made what a client needs.
    Access access() throws Exception;
}
