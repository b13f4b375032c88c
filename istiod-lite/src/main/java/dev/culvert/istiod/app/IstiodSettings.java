package dev.culvert.istiod.app;

import dev.culvert.daemon.config.ConfigException;
import dev.culvert.daemon.config.ConfigReader;
import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.config.Setting;
import dev.culvert.daemon.log.LogConfig;
import java.util.List;

/// What the controller reads from its environment; folders come on the command line.
record IstiodSettings(
        int grpcPort,
        int monitoringPort,
        String clusterId,
        String trustDomain,
        String rootNamespace,
        LogConfig log,
        List<Setting> settings) {
    static IstiodSettings from(Env env) throws ConfigException {
        var read = new ConfigReader(env);
        var all = new IstiodSettings(
                read.integer("CULVERT_GRPC_PORT", 15012, 0, 65535, "xDS and certificates, TLS"),
                read.integer("CULVERT_MONITORING_PORT", 15014, 0, 65535, "metrics and readiness"),
                read.string("CLUSTER_ID", "Kubernetes", "cluster id"),
                read.string("TRUST_DOMAIN", "cluster.local", "trust domain"),
                read.string("ROOT_NAMESPACE", "istio-system", "where policies hold for the whole mesh"),
                LogConfig.from(read),
                read.settings());
        read.done();
        return all;
    }
}
