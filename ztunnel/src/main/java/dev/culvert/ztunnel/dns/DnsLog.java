package dev.culvert.ztunnel.dns;

import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.ztunnel.dns.message.Query;
import dev.culvert.ztunnel.dns.message.RecordType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One line at debug for each question, in Istio's fields.
final class DnsLog {
    private static final Logger LOG = LoggerFactory.getLogger("dns");

    private DnsLog() {}

    /// @param endpoints records of a name server's answer; for our own the CNAME, if any
    static void line(Workload client, Query query, String result, int endpoints) {
        if (LOG.isDebugEnabled()) {
            LOG.atDebug()
                    .addKeyValue("src.workload", client.name())
                    .addKeyValue("src.namespace", client.namespace())
                    .addKeyValue("query", RecordType.text(query.type()))
                    .addKeyValue("domain", query.name() + ".")
                    .addKeyValue("result", result)
                    .addKeyValue("endpoints", endpoints)
                    .log("");
        }
    }
}
