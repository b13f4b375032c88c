package dev.culvert.waypoint.http;

import dev.culvert.waypoint.config.ServiceConfigs;

/// Something that was allowed and is under way. Confined to its loop.
interface Live {
    /// Decides again; ends it if it is no longer allowed.
    void recheck(ServiceConfigs.Snapshot now);
}
