package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.ServiceEntry;
import dev.culvert.kube.object.ServiceEntry.Allocated;
import java.math.BigInteger;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Chooses addresses for the hosts of ServiceEntries that have none: one of each family, never one that is in use. What
/// an entry has stays; of two that say the same address the older keeps it.
public final class HostAddresses {
    private static final Comparator<ServiceEntry> OLDEST = Comparator.comparing(
                    (ServiceEntry one) -> one.metadata().created().orElse(Instant.MAX))
            .thenComparing(ServiceEntry::key);

    private final Set<InetAddress> taken = new HashSet<>();
    private final Range four = new Range("240.240.0.0", 16);
    private final Range six = new Range("2001:2::", 48);

    private HostAddresses() {}

    /// What `status.addresses` of entries should say, for those where it says something else.
    public static Map<ObjectKey, List<Allocated>> changes(ObjectSet objects) {
        return new HostAddresses().all(objects);
    }

    private Map<ObjectKey, List<Allocated>> all(ObjectSet objects) {
        var entries = objects.all(ServiceEntry.class).stream().sorted(OLDEST).toList();
        objects.services().forEach(service -> taken.addAll(service.addresses()));
        entries.forEach(entry -> entry.addresses().forEach(block -> taken.add(block.address())));
        var kept = new TreeMap<ObjectKey, List<Allocated>>();
        for (var entry : entries) {
            kept.put(entry.key(), kept(entry));
        }
        var changes = new TreeMap<ObjectKey, List<Allocated>>();
        for (var entry : entries) {
            var wanted = completed(entry, kept.getOrDefault(entry.key(), List.of()));
            if (!wanted.equals(entry.allocated())) {
                changes.put(entry.key(), wanted);
            }
        }
        return changes;
    }

    private List<Allocated> kept(ServiceEntry entry) {
        var kept = new ArrayList<Allocated>();
        for (var one : entry.allocated()) {
            var second =
                    kept.stream().anyMatch(other -> other.host().equals(one.host()) && isFour(other) == isFour(one));
            if (!second
                    && entry.hosts().contains(one.host())
                    && entry.wantsAddress(one.host())
                    && taken.add(one.address())) {
                (isFour(one) ? four : six).isUsed(one.address());
                kept.add(one);
            }
        }
        return kept;
    }

    private List<Allocated> completed(ServiceEntry entry, List<Allocated> kept) {
        var all = new ArrayList<>(kept);
        for (var host : entry.hosts()) {
            if (entry.wantsAddress(host)) {
                for (var range : List.of(four, six)) {
                    var has = kept.stream().anyMatch(one -> one.host().equals(host) && isFour(one) == (range == four));
                    if (!has) {
                        range.next(taken).ifPresent(address -> all.add(new Allocated(address, host)));
                    }
                }
            }
        }
        return all;
    }

    private static boolean isFour(Allocated one) {
        return one.address() instanceof Inet4Address;
    }

    /// Addresses one after the other, so that one that was given back is not soon another's.
    private static final class Range {
        private final BigInteger base;
        private final int bytes;
        private final long size;
        private long last;
        private boolean exhausted;

        Range(String first, int length) {
            var address = InetAddress.ofLiteral(first).getAddress();
            base = new BigInteger(1, address);
            bytes = address.length;
            size = 1L << Math.min(Integer.SIZE, bytes * Byte.SIZE - length);
        }

        void isUsed(InetAddress address) {
            var offset = new BigInteger(1, address.getAddress()).subtract(base);
            if (offset.signum() > 0 && offset.bitLength() < Long.SIZE && offset.longValue() < size) {
                last = Math.max(last, offset.longValue());
            }
        }

        Optional<InetAddress> next(Set<InetAddress> taken) {
            for (var tried = 0L; tried < size && !exhausted; tried++) {
                last = last + 1 < size - 1 ? last + 1 : 1;
                var address = at(last);
                if (taken.add(address)) {
                    return Optional.of(address);
                }
            }
            exhausted = true;
            return Optional.empty();
        }

        private InetAddress at(long offset) {
            var sum = base.add(BigInteger.valueOf(offset)).toByteArray();
            var address = new byte[bytes];
            var from = Math.max(0, sum.length - bytes);
            System.arraycopy(sum, from, address, bytes - (sum.length - from), sum.length - from);
            try {
                return InetAddress.getByAddress(address);
            } catch (UnknownHostException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
    }
}
