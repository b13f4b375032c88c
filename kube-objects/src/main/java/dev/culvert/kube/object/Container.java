package dev.culvert.kube.object;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// One container of a pod; in local mode one process.
///
/// @param hooks what is asked of it by its `lifecycle` (`postStart`, `preStop`)
public record Container(
        String name,
        String image,
        List<String> command,
        List<String> args,
        List<EnvVar> env,
        String workingDir,
        List<Port> ports,
        Optional<Probe> readinessProbe,
        Optional<Probe> livenessProbe,
        Optional<Probe> startupProbe,
        List<Probe.Check> hooks) {
    /// A port that the container listens on.
    ///
    /// @param name empty if it has none
    public record Port(String name, int number, String protocol) {}

    /// An environment variable.
    ///
    /// @param fieldPath such as `status.podIP`, where the value comes from the pod itself; else empty
    public record EnvVar(String name, String value, String fieldPath) {}

    public Container {
        command = List.copyOf(command);
        args = List.copyOf(args);
        env = List.copyOf(env);
        ports = List.copyOf(ports);
        hooks = List.copyOf(hooks);
    }

    /// Everything that somebody outside, the kubelet, asks of it.
    public List<Probe.Check> checks() {
        return Stream.concat(
                        Stream.of(startupProbe, readinessProbe, livenessProbe)
                                .flatMap(Optional::stream)
                                .map(Probe::check),
                        hooks.stream())
                .distinct()
                .toList();
    }

    /// The number of a port that is named by its number or by the name that this container gives it.
    public Optional<Integer> number(PortRef port) {
        return switch (port) {
            case PortRef.Numbered(var number) -> Optional.of(number);
            case PortRef.Named(var wanted) ->
                ports.stream()
                        .filter(own -> own.name().equals(wanted))
                        .map(Port::number)
                        .findFirst();
        };
    }
}
