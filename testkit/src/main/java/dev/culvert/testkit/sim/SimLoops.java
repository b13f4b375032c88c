package dev.culvert.testkit.sim;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultithreadEventLoopGroup;
import io.netty.channel.SingleThreadEventLoop;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Ticker;
import java.util.concurrent.Executor;

/// Event loops without sockets of the kernel, whose timers go by a [SimClock].
final class SimLoops extends MultithreadEventLoopGroup {
    SimLoops(String name, int loops, SimClock clock) {
        super(loops, new DefaultThreadFactory("sim-" + name, true), clock);
    }

    @Override
    protected EventLoop newChild(Executor executor, Object... arguments) {
        return new Loop(this, executor, (SimClock) arguments[0]);
    }

    /// Timers look at the clock again.
    void wakeUp() {
        forEach(loop -> loop.submit(() -> {}).syncUninterruptibly());
    }

    private static final class Loop extends SingleThreadEventLoop {
        private final SimClock clock;

        Loop(EventLoopGroup parent, Executor executor, SimClock clock) {
            this.clock = clock; // the superclass' constructor asks for it
            super(parent, executor, true);
        }

        @Override
        public Ticker ticker() {
            return clock;
        }

        @Override
        protected void run() {
            do {
                var task = takeTask();
                if (task != null) {
                    runTask(task);
                    updateLastExecutionTime();
                }
            } while (!confirmShutdown());
        }
    }
}
