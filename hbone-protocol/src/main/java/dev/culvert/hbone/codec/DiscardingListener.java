package dev.culvert.hbone.codec;

import io.netty.buffer.ByteBuf;

/// Takes what nobody wants, so that its credit goes back.
public final class DiscardingListener implements StreamListener {
    public static final DiscardingListener INSTANCE = new DiscardingListener();

    private DiscardingListener() {}

    @Override
    public void data(HboneStream stream, ByteBuf data) {
        var bytes = data.readableBytes();
        data.release();
        stream.delivered(bytes);
    }

    @Override
    public void ended(HboneStream stream) {}

    @Override
    public void failed(HboneStream stream, StreamFailure failure) {}

    @Override
    public void sent(HboneStream stream, int bytes) {}
}
