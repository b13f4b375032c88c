package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.AuthorizationPolicy;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.PeerAuthentication;
import dev.culvert.kube.object.Pod;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.Service;
import dev.culvert.protos.security.Authorization;
import dev.culvert.protos.workload.Address;
import dev.culvert.protos.workload.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Turns objects into what node proxies need to know. Pure: equal objects give equal translations.
public final class Translator {
    private Translator() {}

    public static Translation translate(ObjectSet objects, TranslationSettings settings) {
        var problems = new ArrayList<Problem>();
        var policies = new TreeMap<String, Authorization>();
        var selected = new ArrayList<AuthorizationPolicy>();
        var reach = new PolicyReach(objects, settings.rootNamespace());
        for (var policy : objects.all(AuthorizationPolicy.class)) {
            PolicyTranslation.translate(policy, settings, problems).ifPresent(sent -> {
                policies.put(PolicyTranslation.key(policy), sent);
                if (!policy.selector().isEmpty()) {
                    selected.add(policy);
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
        var only = new WaypointOnly(objects, settings, waypoints);
        var workloads = new TreeMap<String, Workload>();
        for (var pod : objects.pods()) {
            if (!pod.finished() && !pod.addresses().isEmpty()) {
                var workload = workload(pod, objects, settings, waypoints);
                workload.addAllAuthorizationPolicies(keys(pod, selected, modes, settings))
                        .addAllAuthorizationPolicies(only.keys(pod, workload.build()));
                workloads.put(workload.getUid(), workload.build());
            }
        }
        only.check(workloads, problems);
        policies.putAll(only.policies());

        var addresses = new TreeMap<String, Address>();
        workloads.forEach((uid, workload) ->
                addresses.put(uid, Address.newBuilder().setWorkload(workload).build()));
        for (var service : objects.services()) {
            if (service.type() != Service.Type.EXTERNAL_NAME) {
                var sent = ServiceTranslation.translate(service, objects, settings);
                waypoints.of(service).waypoint().map(waypoints::address).ifPresent(sent::setWaypoint);
                addresses.put(
                        ServiceTranslation.key(service, settings),
                        Address.newBuilder().setService(sent).build());
            }
        }
        return new Translation(addresses, policies, problems);
    }

    private static Workload.Builder workload(
            Pod pod, ObjectSet objects, TranslationSettings settings, Waypoints waypoints) {
        var workload = WorkloadTranslation.translate(pod, objects, settings);
        waypoints.of(pod).waypoint().map(waypoints::address).ifPresent(workload::setWaypoint);
        return workload;
    }

    /// Keys of the policies that a workload has to list: those that find it by selector.
    private static List<String> keys(
            Pod pod, List<AuthorizationPolicy> selected, PeerModes modes, TranslationSettings settings) {
        var authorization = selected.stream()
                .filter(policy -> policy.namespace().equals(pod.namespace())
                        || policy.namespace().equals(settings.rootNamespace()))
                .filter(policy -> policy.selects(pod.metadata().labels()))
                .map(PolicyTranslation::key)
                .sorted();
        return Stream.concat(authorization, modes.key(pod).stream()).toList();
    }
}
