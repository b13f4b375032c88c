package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.AuthorizationPolicy;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.PeerAuthentication;
import dev.culvert.kube.object.Pod;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.Service;
import dev.culvert.kube.object.WorkloadEntry;
import dev.culvert.protos.security.Authorization;
import dev.culvert.protos.workload.Address;
import dev.culvert.protos.workload.Workload;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Turns objects into what node proxies need to know. Pure: equal objects give equal translations.
public final class Translator {
    private Translator() {}

    public static Translation translate(ObjectSet objects, TranslationSettings settings) {
        return translate(objects, settings, new KnownPods());
    }

    /// The same, with what `known` still knows of pods from the last time.
    public static Translation translate(ObjectSet objects, TranslationSettings settings, KnownPods known) {
        var problems = new ArrayList<Problem>();
        EnrolmentAdvice.check(objects.namespaces(), problems);
        var policies = new TreeMap<String, Authorization>();
        var selected = new HashMap<String, List<AuthorizationPolicy>>();
        var reach = new PolicyReach(objects, settings.rootNamespace());
        for (var policy : objects.all(AuthorizationPolicy.class)) {
            PolicyTranslation.translate(policy, settings, problems).ifPresent(sent -> {
                policies.put(PolicyTranslation.key(policy), sent);
                if (!policy.selector().isEmpty()) {
                    selected.computeIfAbsent(policy.namespace(), _ -> new ArrayList<>())
                            .add(policy);
                }
                reach.check(policy, policy.selector()).ifPresent(problems::add);
            });
        }
        for (var policy : objects.all(AuthorizationPolicy.class)) {
            for (var target : policy.targetRefs()) {
                objects.find(Service.class, Kind.SERVICE, policy.namespace(), target.name())
                        .filter(service -> target.kind().equals("Service")
                                && !service.selector().isEmpty())
                        .flatMap(service -> reach.check(policy, service.selector()))
                        .ifPresent(problems::add);
            }
        }
        var modes = new PeerModes(objects.all(PeerAuthentication.class), settings.rootNamespace(), reach, problems);
        policies.putAll(modes.policies());

        var waypoints = new Waypoints(objects, settings);
        waypoints.check(problems);
        var entries = new EntryServices(objects, settings, problems);
        var only = new WaypointOnly(objects, settings, waypoints, entries);
        var listed = new Listed(selected, modes, settings);
        var addresses = new TreeMap<String, Address>();
        known.begin(objects, settings);
        for (var pod : objects.pods()) {
            if (!pod.finished() && !pod.addresses().isEmpty()) {
                var made = known.of(
                        pod,
                        () -> ungated(member(pod, objects, settings, waypoints, entries), waypoints, only, listed),
                        () -> waypoints.of(pod),
                        only);
                addresses.put(made.getWorkload().getUid(), made);
            }
        }
        for (var member : members(objects, settings, waypoints, entries, only)) {
            var ungated = ungated(member, waypoints, only, listed);
            var made = KnownPods.gated(ungated, only.keys(member.binding(), ungated));
            addresses.put(ungated.getUid(), made);
        }
        only.check(addresses.values(), problems);
        for (var workload : SliceTranslation.translate(objects, settings)) {
            addresses.put(
                    workload.getUid(),
                    Address.newBuilder().setWorkload(workload).build());
        }
        policies.putAll(only.policies());

        for (var service : objects.services()) {
            if (service.type() != Service.Type.EXTERNAL_NAME) {
                var sent = ServiceTranslation.translate(service, objects, settings);
                waypoints.of(service).waypoint().map(waypoints::address).ifPresent(sent::setWaypoint);
                sent.setIngressUseWaypoint(waypoints.takesIngress(MeshService.of(service, settings)));
                addresses.put(
                        ServiceTranslation.key(service, settings),
                        Address.newBuilder().setService(sent).build());
            }
        }
        for (var published : entries.published()) {
            var sent = entries.translate(published);
            var service = MeshService.of(published);
            only.gate(service).ifPresent(sent::setWaypoint);
            sent.setIngressUseWaypoint(waypoints.takesIngress(service));
            addresses.put(published.key(), Address.newBuilder().setService(sent).build());
        }
        return new Translation(addresses, policies, problems);
    }

    private static Member member(
            Pod pod, ObjectSet objects, TranslationSettings settings, Waypoints waypoints, EntryServices entries) {
        var workload = WorkloadTranslation.translate(pod, objects, settings).putAllServices(entries.selecting(pod));
        return new Member(pod.metadata().labels(), workload, waypoints.of(pod), false);
    }

    /// What is no pod, and has workloads that policies find by their labels.
    private static List<Member> members(
            ObjectSet objects,
            TranslationSettings settings,
            Waypoints waypoints,
            EntryServices entries,
            WaypointOnly only) {
        var members = new ArrayList<Member>();
        var others = new EntryWorkloads(objects, settings, entries);
        objects.all(WorkloadEntry.class).forEach(entry -> members.add(others.translate(entry, waypoints)));
        members.addAll(others.inline(waypoints, only));
        return members;
    }

    /// What policies a workload can have to list.
    ///
    /// @param selected those with a selector, by namespace
    private record Listed(
            Map<String, List<AuthorizationPolicy>> selected, PeerModes modes, TranslationSettings settings) {}

    /// All but the policies of [WaypointOnly].
    private static Workload ungated(Member member, Waypoints waypoints, WaypointOnly only, Listed listed) {
        var workload = member.workload();
        member.binding()
                .waypoint()
                .map(waypoints::address)
                .or(() -> member.outside() ? only.around(workload) : Optional.empty())
                .ifPresent(workload::setWaypoint);
        return workload.addAllAuthorizationPolicies(keys(member, listed)).build();
    }

    /// Keys of the policies that a workload has to list: those that find it by selector.
    private static List<String> keys(Member member, Listed listed) {
        var namespace = member.workload().getNamespace();
        var authorization = Stream.of(namespace, listed.settings.rootNamespace())
                .distinct()
                .flatMap(from -> listed.selected.getOrDefault(from, List.of()).stream())
                .filter(policy -> policy.selects(member.labels()))
                .map(PolicyTranslation::key)
                .sorted();
        return Stream.concat(authorization, listed.modes.key(namespace, member.labels()).stream())
                .toList();
    }
}
