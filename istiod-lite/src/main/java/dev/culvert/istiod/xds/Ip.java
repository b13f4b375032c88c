package dev.culvert.istiod.xds;

import com.google.protobuf.ByteString;
import dev.culvert.mesh.model.workload.Addresses;

/// Addresses in messages as text.
final class Ip {
    private Ip() {}

    static String text(ByteString bytes) {
        return Addresses.text(Addresses.ofBytes(bytes.toByteArray()));
    }
}
