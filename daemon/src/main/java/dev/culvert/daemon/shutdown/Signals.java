package dev.culvert.daemon.shutdown;

import java.lang.reflect.Proxy;

/// Hears the process's signals. `sun.misc.Signal` is the only way to see one without the JVM starting an exit of its
/// own, with code 143; it is reached by reflection because javac warns of it whatever one suppresses.
final class Signals {
    private Signals() {}

    /// @param name without `SIG`
    static void on(String name, Runnable action) {
        try {
            var signal = Class.forName("sun.misc.Signal");
            var handler = Class.forName("sun.misc.SignalHandler");
            var proxy = Proxy.newProxyInstance(Signals.class.getClassLoader(), new Class<?>[] {handler}, (_, _, _) -> {
                action.run();
                return null;
            });
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
        } catch (ReflectiveOperationException missing) {
            throw new IllegalStateException(
                    "this Java runtime has no sun.misc.Signal (module jdk.unsupported)", missing);
        }
    }
}
