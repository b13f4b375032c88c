package dev.culvert.cni;

import dev.culvert.cni.CniException.Code;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The versions of the CNI specification that the plugin speaks. Before 0.3.0 there is no chaining; many network
/// providers still write 0.3.1.
enum CniVersion {
    V0_3_0("0.3.0"),
    V0_3_1("0.3.1"),
    V0_4_0("0.4.0"),
    V1_0_0("1.0.0"),
    V1_1_0("1.1.0");

    final String text;

    CniVersion(String text) {
        this.text = text;
    }

    static CniVersion newest() {
        return V1_1_0;
    }

    static List<String> all() {
        var texts = new ArrayList<String>();
        for (var version : values()) {
            texts.add(version.text);
        }
        return texts;
    }

    static Optional<CniVersion> find(String text) {
        for (var version : values()) {
            if (version.text.equals(text)) {
                return Optional.of(version);
            }
        }
        return Optional.empty();
    }

    /// @throws CniException `command` came with a later version
    void require(CniVersion first, String command) throws CniException {
        if (compareTo(first) < 0) {
            throw new CniException(
                    Code.INCOMPATIBLE_VERSION,
                    command + " does not exist in CNI " + text,
                    "it came with " + first.text + "; set cniVersion of the network configuration to it or later");
        }
    }
}
