package dev.culvert.waypoint.http;

import dev.culvert.waypoint.config.ServiceConfigs;

/// Something that was allowed and is under way. Confined to its loop.
interface Live {
    /// Decides again; ends it if it is no longer allowed.
    void recheck(ServiceConfigs.Snapshot now);

    /// Called about once a second for whoever has asked for it by [Worker#tickLater]. It ends itself if a token that it
    /// was allowed by is expired now.
    /// @param nowSeconds of the epoch
    /// @return whether it wants to be called again
    boolean tick(long nowSeconds);
}
