package dev.culvert.linux.call;

import dev.culvert.linux.Errno;
import dev.culvert.linux.LinuxException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.stream.Stream;

/// One function of libc with `errno` captured. A call that a signal interrupted is made again. Thread-safe. A record,
/// because the JIT takes a record's fields for constants and then calls the function without a detour.
public record NativeCall(String name, MethodHandle handle) {
    private static final VarHandle ERRNO =
            Linker.Option.captureStateLayout().varHandle(MemoryLayout.PathElement.groupElement("errno"));

    @SuppressWarnings("restricted") // Libc gives each function its type.
    static NativeCall of(String name, FunctionDescriptor type, Linker.Option... options) {
        var all = Stream.concat(Stream.of(Linker.Option.captureCallState("errno")), Arrays.stream(options))
                .toArray(Linker.Option[]::new);
        var linker = Linker.nativeLinker();
        var symbol = linker.defaultLookup().findOrThrow(name);
        var handle = linker.downcallHandle(symbol, type, all)
                .asSpreader(Object[].class, type.argumentLayouts().size())
                .asType(MethodType.methodType(long.class, MemorySegment.class, Object[].class));
        return new NativeCall(name, handle);
    }

    /// @param described the arguments as an error message shows them
    /// @param arguments exactly of the types of the function
    /// @return what the function returned, never -1
    public long invoke(String described, Object... arguments) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var state = arena.allocate(Linker.Option.captureStateLayout());
            while (true) {
                var result = call(state, arguments);
                if (result != -1) {
                    return result;
                }
                var errno = (int) ERRNO.get(state, 0L);
                if (Errno.of(errno) != Errno.EINTR) {
                    throw new LinuxException(name, described, errno);
                }
            }
        }
    }

    /// For functions that say failure by 0, such as `if_nametoindex`.
    public long invokeNonZero(String described, Object... arguments) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var state = arena.allocate(Linker.Option.captureStateLayout());
            var result = call(state, arguments);
            if (result == 0) {
                throw new LinuxException(name, described, (int) ERRNO.get(state, 0L));
            }
            return result;
        }
    }

    private long call(MemorySegment state, Object[] arguments) {
        try {
            return (long) handle.invokeExact(state, arguments);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(name, e);
        }
    }
}
