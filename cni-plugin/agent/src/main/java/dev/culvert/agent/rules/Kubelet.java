package dev.culvert.agent.rules;

import java.nio.file.Path;

/// How the node's rules know the kubelet.
public sealed interface Kubelet {
    /// By its control group, version 2, which nobody else is in.
    /// @param folder of the group, as it is seen here
    /// @param level of the group, 1 for those under the root
    /// @param inode of the folder: a group that was made anew is another one
    record InControlGroup(Path folder, int level, long inode) implements Kubelet {
        public InControlGroup {
            if (!folder.isAbsolute() || folder.toString().matches("(?s).*[\"\\n].*")) {
                throw new IllegalArgumentException("not a control group for nft: " + folder);
            }
        }

        /// From the root of the groups.
        String path() {
            return folder.subpath(folder.getNameCount() - level, folder.getNameCount())
                    .toString();
        }
    }

    /// By its user, which is weaker: others of this user pass for it.
    record OfUser(long user) implements Kubelet {}
}
