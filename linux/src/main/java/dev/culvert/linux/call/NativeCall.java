package dev.culvert.linux.call;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.culvert.linux.Errno;
import dev.culvert.linux.LinuxException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;

/// One function of libc with `errno` captured. A call that a signal interrupted is made again. Thread-safe.
///
/// All are called by one handle that passes five machine words, which is how the System V ABI (x86_64) and AAPCS64 pass
/// integers and pointers; a function reads as many of them, and as much of each, as it declares. A handle for each
/// function's own type would cost 15 ms a type at the start, and memory that stays.
/// @param wide whether the function returns a `long`; of an `int` the upper half means nothing
public record NativeCall(String name, MemorySegment symbol, boolean wide) {
    private static final int WORDS = 5;
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final long ERRNO = STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));
    private static final MethodHandle CALL = link();

    @SuppressWarnings("restricted") // Libc names the functions, and their callers the arguments.
    private static MethodHandle link() {
        var words = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        // the third argument of fcntl, ioctl and open is a variable one
        return Linker.nativeLinker()
                .downcallHandle(words, Linker.Option.captureCallState("errno"), Linker.Option.firstVariadicArg(2));
    }

    @SuppressWarnings("restricted")
    static NativeCall of(String name, boolean wide) {
        return new NativeCall(name, Linker.nativeLinker().defaultLookup().findOrThrow(name), wide);
    }

    /// @param described the arguments as an error message shows them
    /// @param arguments at most five, each an [Integer], a [Long] or a native [MemorySegment]
    /// @return what the function returned, never -1
    public long invoke(String described, Object... arguments) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var state = arena.allocate(STATE);
            while (true) {
                var result = call(state, arguments);
                if (result != -1) {
                    return result;
                }
                var errno = state.get(JAVA_INT, ERRNO);
                if (Errno.of(errno) != Errno.EINTR) {
                    throw new LinuxException(name, described, errno);
                }
            }
        }
    }

    /// For functions that say failure by 0, such as `if_nametoindex`.
    public long invokeNonZero(String described, Object... arguments) throws LinuxException {
        try (var arena = Arena.ofConfined()) {
            var state = arena.allocate(STATE);
            var result = call(state, arguments);
            if (result == 0) {
                throw new LinuxException(name, described, state.get(JAVA_INT, ERRNO));
            }
            return result;
        }
    }

    private long call(MemorySegment state, Object[] arguments) {
        var words = new long[WORDS];
        for (var i = 0; i < arguments.length; i++) {
            words[i] = word(arguments[i]);
        }
        try {
            var result = (long) CALL.invokeExact(symbol, state, words[0], words[1], words[2], words[3], words[4]);
            return wide ? result : (int) result;
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(name, e);
        } finally {
            Reference.reachabilityFence(arguments);
        }
    }

    private long word(Object argument) {
        return switch (argument) {
            case Integer number -> number;
            case Long number -> number;
            case MemorySegment segment when segment.isNative() -> segment.address();
            default -> throw new IllegalArgumentException(name + " cannot be passed " + argument.getClass());
        };
    }
}
