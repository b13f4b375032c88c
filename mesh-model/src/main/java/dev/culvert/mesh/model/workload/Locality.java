package dev.culvert.mesh.model.workload;

/// Where a workload runs; empty parts are unknown, and equal to each other.
public record Locality(String region, String zone, String subzone) {
    public static final Locality UNKNOWN = new Locality("", "", "");
}
