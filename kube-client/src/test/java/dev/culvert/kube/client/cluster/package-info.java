/// Tests against a real API server: the profile `cluster` runs them, which is active where `CULVERT_KUBECONFIG` names
/// a kubeconfig of an administrator. They make namespaces of their own, and remove them.
package dev.culvert.kube.client.cluster;
