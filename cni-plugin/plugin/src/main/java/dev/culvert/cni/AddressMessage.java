package dev.culvert.cni;

import dev.culvert.json.Json;
import dev.culvert.json.JsonException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;

/// The pod's addresses of a CNI result in the JSON that Istio's agent reads: Go's `net.IPNet`, whose mask is the base64
/// of its bytes.
final class AddressMessage {
    private static final int MAX_ADDRESSES = 64;

    private AddressMessage() {}

    static List<Json> of(Json.Obj result) throws JsonException {
        var messages = new ArrayList<Json>();
        var ips = result.objects("ips");
        if (ips.size() > MAX_ADDRESSES) {
            throw new JsonException("\"prevResult\" has more than " + MAX_ADDRESSES + " addresses");
        }
        for (var ip : ips) {
            var address = ip.text("address").orElse("");
            var message = new LinkedHashMap<String, Json>();
            message.put("Interface", ip.get("interface").orElse(new Json.Null()));
            message.put("Address", network(address));
            message.put("Gateway", new Json.Str(ip.text("gateway").orElse("")));
            messages.add(Json.Obj.of(message));
        }
        return messages;
    }

    private static Json network(String address) throws JsonException {
        var slash = address.indexOf('/');
        try {
            if (slash > 0) {
                var literal = address.substring(0, slash);
                var bytes = InetAddress.ofLiteral(literal).getAddress().length;
                var length = Integer.parseInt(address, slash + 1, address.length(), 10);
                if (length >= 0 && length <= bytes * 8) {
                    var message = new LinkedHashMap<String, Json>();
                    message.put("IP", new Json.Str(literal));
                    message.put("Mask", new Json.Str(Base64.getEncoder().encodeToString(mask(length, bytes))));
                    return Json.Obj.of(message);
                }
            }
        } catch (IllegalArgumentException e) {
            // told below
        }
        throw new JsonException("\"prevResult\" has an address that is not ADDRESS/LENGTH");
    }

    private static byte[] mask(int length, int bytes) {
        var mask = new byte[bytes];
        for (var i = 0; i < length; i++) {
            mask[i / 8] |= (byte) (0x80 >> i % 8);
        }
        return mask;
    }
}
