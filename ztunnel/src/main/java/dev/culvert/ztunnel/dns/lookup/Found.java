package dev.culvert.ztunnel.dns.lookup;

import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the mesh knows of a name.
/// @param canonical the name that the asked one stands for (it was found without one of its search domains), or null
/// @param addresses of the family that was asked for; none if the name has none
/// @param result in the words of Istio's DNS log
public record Found(@Nullable String canonical, List<InetAddress> addresses, String result) {
    static final String SUCCESS = "success";
    static final String NO_RECORDS = "no records";
    static final String NO_SUCH_FAMILY = "service does not support this record type";

    public Found {
        addresses = List.copyOf(addresses);
    }
}
