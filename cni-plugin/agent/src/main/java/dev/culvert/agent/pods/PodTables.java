package dev.culvert.agent.pods;

import dev.culvert.agent.rules.InPodRules;
import dev.culvert.linux.LinuxException;
import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.linux.netns.OwnedTables;
import dev.culvert.linux.netns.Ruleset;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The tables of captured pods: between two changes of ours nobody else can change them. It is `nft` that changes them,
/// so they are given up before, and claimed again only as it left them. Where the kernel has no such tables, and where
/// an older agent made them, they are anybody's. Confined to one thread.
final class PodTables implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PodTables.class);
    private static final int MOST_TRIES = 5;

    private final Map<NetworkNamespace.Id, Held> held = new HashMap<>();
    private boolean unsupported;

    /// @param generation of our last change
    /// @param whole whether these are all tables of the capture
    private record Held(OwnedTables tables, int generation, boolean whole) {}

    /// Rules to write, as one transaction that makes no table.
    interface Rules {
        /// @param held whether all tables were ours until now, so that nobody else can have changed them
        /// @param shared statements that make the tables which cannot be owned
        String text(boolean held, String shared) throws IOException;
    }

    /// Writes rules.
    /// @param kept the tables that are to be held afterwards
    /// @throws IOException if a table is somebody else's, or rules there are changed faster than we write
    void write(NetworkNamespace netns, Collection<String> kept, Rules rules) throws IOException {
        for (var tries = 0; tries < MOST_TRIES; tries++) {
            var known = generation(netns).isPresent();
            var ours = giveUp(netns);
            var shared = InPodRules.made(InPodRules.TABLES.stream()
                    .filter(table -> !ours.contains(table))
                    .toList());
            var text = rules.text(known, shared);
            var before = netns.<Integer, IOException>call(Ruleset::generation);
            NamespaceCommands.apply(netns, shared + text);
            ours.retainAll(kept);
            if (ours.isEmpty() || hold(netns, ours, before + 1, ours.size() == kept.size())) {
                return;
            }
        }
        throw new IOException("somebody else changes nftables rules there whenever ours are written");
    }

    /// Makes the tables that are missing, and leaves all of them to `nft`.
    /// @return those that can be held
    private List<String> giveUp(NetworkNamespace netns) throws IOException {
        var ours = new ArrayList<String>();
        if (unsupported) {
            return ours;
        }
        var known = held.remove(netns.id());
        try (var tables = known != null ? known.tables : netns.<OwnedTables, IOException>call(OwnedTables::open)) {
            for (var table : InPodRules.TABLES) {
                switch (tables.claim(table)) {
                    case OWNED -> ours.add(table);
                    case SHARED -> LOG.debug("{}: an older agent made {}, which anybody can change", netns, table);
                    case TAKEN ->
                        throw new IOException(
                                "table inet %1$s is owned by another process; `nft list table inet %1$s` in the pod names it"
                                        .formatted(table));
                    case UNSUPPORTED -> {
                        unsupported = true;
                        LOG.info("before Linux 6.9 others can change the rules of captured pods; ours are put back");
                        return ours;
                    }
                }
            }
        }
        return ours;
    }

    /// @param generation what it is unless somebody else has changed a rule: a transaction counts one
    private boolean hold(NetworkNamespace netns, Collection<String> names, int generation, boolean whole)
            throws IOException {
        var tables = netns.<OwnedTables, IOException>call(OwnedTables::open);
        try {
            if (tables.claim(names, generation)) {
                held.put(netns.id(), new Held(tables, generation, whole));
                return true;
            }
            tables.close();
            return false;
        } catch (IOException e) {
            tables.close();
            throw e;
        }
    }

    /// The number of our last change, if nobody else can make one. It is never that of the rules once the tables have
    /// been given up, so that whoever compares it writes them again.
    OptionalInt generation(NetworkNamespace netns) {
        var known = held.get(netns.id());
        return known != null && known.whole ? OptionalInt.of(known.generation) : OptionalInt.empty();
    }

    /// Gives up the tables, with the rules that they have.
    void letGo(NetworkNamespace netns) {
        var known = held.remove(netns.id());
        if (known != null) {
            close(known);
        }
    }

    private static void close(Held known) {
        try {
            known.tables.close();
        } catch (LinuxException e) {
            LOG.warn("tables of a pod stay held: {}", e.toString());
        }
    }

    /// Gives up all tables, with the rules that they have.
    @Override
    public void close() {
        held.values().forEach(PodTables::close);
        held.clear();
    }
}
