package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.AuthorizationPolicy;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.PeerAuthentication;
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
        var workloads = new TreeMap<String, Workload>();
        for (var member : members(objects, settings, waypoints, entries, only)) {
            var workload = member.workload();
            member.binding()
                    .waypoint()
                    .map(waypoints::address)
                    .or(() -> member.outside() ? only.around(workload) : Optional.empty())
                    .ifPresent(workload::setWaypoint);
            workload.addAllAuthorizationPolicies(keys(member, selected, modes, settings))
                    .addAllAuthorizationPolicies(only.keys(member.binding(), workload.build()));
            workloads.put(workload.getUid(), workload.build());
        }
        only.check(workloads, problems);
        for (var workload : SliceTranslation.translate(objects, settings)) {
            workloads.put(workload.getUid(), workload);
        }
        policies.putAll(only.policies());

        var addresses = new TreeMap<String, Address>();
        workloads.forEach((uid, workload) ->
                addresses.put(uid, Address.newBuilder().setWorkload(workload).build()));
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

    /// Workloads that policies find by their labels.
    private static List<Member> members(
            ObjectSet objects,
            TranslationSettings settings,
            Waypoints waypoints,
            EntryServices entries,
            WaypointOnly only) {
        var members = new ArrayList<Member>();
        for (var pod : objects.pods()) {
            if (!pod.finished() && !pod.addresses().isEmpty()) {
                var workload =
                        WorkloadTranslation.translate(pod, objects, settings).putAllServices(entries.selecting(pod));
                members.add(new Member(pod.metadata().labels(), workload, waypoints.of(pod), false));
            }
        }
        var others = new EntryWorkloads(objects, settings, entries);
        objects.all(WorkloadEntry.class).forEach(entry -> members.add(others.translate(entry, waypoints)));
        members.addAll(others.inline(waypoints, only));
        return members;
    }

    /// Keys of the policies that a workload has to list: those that find it by selector.
    /// @param selected by namespace
    private static List<String> keys(
            Member member,
            Map<String, List<AuthorizationPolicy>> selected,
            PeerModes modes,
            TranslationSettings settings) {
        var namespace = member.workload().getNamespace();
        var authorization = Stream.of(namespace, settings.rootNamespace())
                .distinct()
                .flatMap(from -> selected.getOrDefault(from, List.of()).stream())
                .filter(policy -> policy.selects(member.labels()))
                .map(PolicyTranslation::key)
                .sorted();
        return Stream.concat(authorization, modes.key(namespace, member.labels()).stream())
                .toList();
    }
}
