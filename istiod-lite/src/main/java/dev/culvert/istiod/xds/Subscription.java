package dev.culvert.istiod.xds;

import com.google.protobuf.Value;
import dev.culvert.protos.discovery.DeltaDiscoveryRequest;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import dev.culvert.protos.discovery.Resource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What one client wants and has of one type. Used by the client's thread; [#isSettledAt] by any.
final class Subscription {
    private static final String ALL = "*";

    private final String type;
    private final String prefix;
    private final Map<String, String> versions = new HashMap<>();
    private final Set<String> names = new HashSet<>();
    private final Set<String> unanswered = new HashSet<>();
    /// Gone, but not told yet.
    private final Set<String> deferred = new HashSet<>();
    private final String node;
    private boolean wildcard;
    private boolean fresh = true;
    private long nonces;
    private volatile String outstanding = "";
    private volatile long sequence;
    private volatile long settled;

    /// The client's first request of the type.
    /// @param prefix of the names of the resources that it may see
    Subscription(String type, DeltaDiscoveryRequest first, String prefix) {
        this.type = type;
        this.prefix = prefix;
        versions.putAll(first.getInitialResourceVersionsMap());
        wildcard = first.getResourceNamesSubscribeCount() == 0;
        node = first.getNode()
                .getMetadata()
                .getFieldsOrDefault("NODE_NAME", Value.getDefaultInstance())
                .getStringValue();
        subscribe(first);
        if (!wildcard) {
            names.addAll(first.getInitialResourceVersionsMap().keySet());
        }
    }

    private void subscribe(DeltaDiscoveryRequest request) {
        for (var name : request.getResourceNamesSubscribeList()) {
            if (name.equals(ALL)) {
                wildcard = true;
            } else {
                names.add(name);
                unanswered.add(name);
            }
        }
        for (var name : request.getResourceNamesUnsubscribeList()) {
            if (name.equals(ALL)) {
                wildcard = false;
            } else {
                names.remove(name);
                unanswered.remove(name);
                versions.remove(name);
            }
        }
    }

    /// An ACK, a NACK, a change of names, or several of these.
    void change(DeltaDiscoveryRequest request) {
        if (!request.getResponseNonce().isEmpty() && request.getResponseNonce().equals(outstanding)) {
            outstanding = "";
            settled = sequence;
        }
        subscribe(request);
    }

    /// Whether the client has acknowledged all there was at `at`.
    boolean isSettledAt(long at) {
        return outstanding.isEmpty() && settled >= at;
    }

    /// The next response, if there is news and the last one was answered.
    /// @param keepRemoved whether removals wait for [#removals]
    Optional<DeltaDiscoveryResponse> next(Catalogue catalogue, boolean keepRemoved) {
        if (!outstanding.isEmpty() || (catalogue.sequence() == sequence && unanswered.isEmpty())) {
            return Optional.empty();
        }
        var first = fresh;
        var response = difference(catalogue, keepRemoved);
        sequence = catalogue.sequence();
        fresh = false;
        unanswered.clear();
        if (!first && response.getResourcesCount() == 0 && response.getRemovedResourcesCount() == 0) {
            settled = sequence;
            return Optional.empty();
        }
        return Optional.of(send(response));
    }

    private DeltaDiscoveryResponse send(DeltaDiscoveryResponse.Builder response) {
        var nonce = Long.toString(++nonces);
        outstanding = nonce;
        return response.setNonce(nonce)
                .setSystemVersionInfo(Long.toString(sequence))
                .build();
    }

    /// What [#next] kept back, unless it has come again.
    Optional<DeltaDiscoveryResponse> removals(Catalogue catalogue) {
        if (!outstanding.isEmpty() || deferred.isEmpty()) {
            return Optional.empty();
        }
        deferred.removeAll(catalogue.resources(type).keySet());
        var response = DeltaDiscoveryResponse.newBuilder().setTypeUrl(type).addAllRemovedResources(deferred);
        deferred.clear();
        return response.getRemovedResourcesCount() == 0 ? Optional.empty() : Optional.of(send(response));
    }

    private DeltaDiscoveryResponse.Builder difference(Catalogue catalogue, boolean keepRemoved) {
        var response = DeltaDiscoveryResponse.newBuilder().setTypeUrl(type);
        var all = catalogue.resources(type);
        for (var wanted : candidates(catalogue, all)) {
            var resource = all.get(wanted);
            if (resource == null) {
                var known = versions.remove(wanted) != null;
                if (known && keepRemoved) {
                    deferred.add(wanted);
                } else if (known || unanswered.contains(wanted)) {
                    response.addRemovedResources(wanted);
                }
            } else if (!resource.getVersion().equals(versions.put(wanted, resource.getVersion()))) {
                response.addResources(resource);
            }
        }
        return response;
    }

    /// Names to compare: what changed since the last response, or everything where that is not known.
    private Collection<String> candidates(Catalogue catalogue, Map<String, Resource> all) {
        var candidates = new ArrayList<String>();
        if (wildcard && !fresh && catalogue.remembers(sequence)) {
            candidates.addAll(catalogue.changedSince(type, sequence));
        } else if (wildcard) {
            candidates.addAll(all.keySet());
            versions.keySet().stream().filter(name -> !all.containsKey(name)).forEach(candidates::add);
        }
        if (!wildcard && type.equals(Catalogue.ADDRESS)) {
            candidates.addAll(versions.keySet());
            candidates.addAll(OnDemand.names(all, names, node));
        } else if (!names.isEmpty()) {
            candidates.addAll(named(all));
        }
        candidates.removeIf(name -> !name.startsWith(prefix));
        return candidates;
    }

    /// Resources asked for by name or alias.
    private Collection<String> named(Map<String, Resource> all) {
        var byAlias = new LinkedHashMap<String, String>();
        all.values()
                .forEach(
                        resource -> resource.getAliasesList().forEach(alias -> byAlias.put(alias, resource.getName())));
        return names.stream().map(name -> byAlias.getOrDefault(name, name)).toList();
    }
}
