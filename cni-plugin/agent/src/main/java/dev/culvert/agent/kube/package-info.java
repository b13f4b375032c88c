/// What is different for the agent where the pods are a Kubernetes cluster's.
@NullMarked
package dev.culvert.agent.kube;

import org.jspecify.annotations.NullMarked;
