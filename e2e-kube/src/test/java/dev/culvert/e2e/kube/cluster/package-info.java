/// Tests of the whole mesh on a Kubernetes cluster: installed by `culvert install` from the built images,
/// seen from pods and from the nodes' wires. The profile `cluster` runs them, which is active where
/// `CULVERT_KUBECONFIG` is set. They need
///
/// * `CULVERT_KUBECONFIG`: a kubeconfig of an administrator, of a cluster with two nodes or more that has no
/// mesh; * `CULVERT_KUBE_LOAD`: a command that brings image archives, named after its own arguments, to all
/// nodes; * `CULVERT_KUBE_NODE`: a command that runs another as root on a node; node and command follow its
/// own arguments; * `CULVERT_KUBE_NETWORK`: the same, but only in the node's network, with this machine's
/// files; * `CULVERT_KUBE_WIRE`: the network interface between nodes (default `eth0`).
///
/// Each command is split at blanks. `CULVERT_KUBE_PODS`: how many pods come at once (default 30);
/// `CULVERT_KUBE_SEED`: the seed of random kills, which each run prints. Nothing of the mesh is left in the cluster at
// the end.
@NullMarked
package dev.culvert.e2e.kube.cluster;

import org.jspecify.annotations.NullMarked;
