package dev.culvert.agent.zds;

import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.protos.zds.WorkloadInfo;
import java.util.Optional;

/// A pod as ztunnel is told of it.
/// @param netns empty if it could not be found again: ztunnel may keep what it has
public record ServedPod(String uid, WorkloadInfo info, Optional<NetworkNamespace> netns) {}
