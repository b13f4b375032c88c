// Package conformance runs the Gateway API's own conformance suite. Its options are the suite's flags and those of this file.
package conformance

import (
	"embed"
	"flag"
	"io/fs"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/kubernetes"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/features"
)

//go:embed mesh.yaml
var manifests embed.FS

var (
	waypointClass = flag.String("waypoint-class", "istio-waypoint", "class of the waypoint of the mesh tests")
	definitions   = flag.String("crds", "", "a folder of CustomResourceDefinitions that are applied first")
)

func TestConformance(t *testing.T) {
	options := conformance.DefaultOptions(t)
	if *definitions != "" {
		applyDefinitions(t, options, os.DirFS(*definitions))
	}
	if len(options.SupportedFeatures) == 0 && !options.EnableAllSupportedFeatures {
		options.SupportedFeatures = meshFeatures()
	}
	if slices.Contains(options.SupportedFeatures, features.SupportMesh) {
		prepareMesh(t, options)
	}
	conformance.RunConformanceWithOptions(t, options)
}

// meshFeatures are those that any of the suite's mesh tests needs: with them none of these is left out.
func meshFeatures() []features.FeatureName {
	needed := sets.New[features.FeatureName]()
	for _, test := range tests.ConformanceTests {
		if slices.Contains(test.Features, features.SupportMesh) {
			needed.Insert(test.Features...)
		}
	}
	return sets.List(needed)
}

func applyDefinitions(t *testing.T, options suite.ConformanceOptions, from fs.FS) {
	applier := kubernetes.Applier{ManifestFS: []fs.FS{from}}
	files, err := fs.Glob(from, "*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files, "no *.yaml in --crds")
	for _, file := range files {
		if file != "kustomization.yaml" {
			applier.MustApplyWithCleanup(t, options.Client, options.TimeoutConfig, file, false)
		}
	}
	require.Eventually(t, func() bool {
		all := &apiextensions.CustomResourceDefinitionList{}
		require.NoError(t, options.Client.List(t.Context(), all))
		return !slices.ContainsFunc(all.Items, func(one apiextensions.CustomResourceDefinition) bool {
			return !slices.ContainsFunc(one.Status.Conditions, func(condition apiextensions.CustomResourceDefinitionCondition) bool {
				return condition.Type == apiextensions.Established && condition.Status == apiextensions.ConditionTrue
			})
		})
	}, options.TimeoutConfig.CreateTimeout, time.Second, "the definitions are not established")
}

// prepareMesh makes what the suite's mesh tests take for granted: a mesh has its waypoint, and the namespaces of the Gateways' backends,
// whose pods the suite awaits in the mesh tests too, have pods.
func prepareMesh(t *testing.T, options suite.ConformanceOptions) {
	applier := kubernetes.Applier{
		NamespaceLabels:      options.NamespaceLabels,
		NamespaceAnnotations: options.NamespaceAnnotations,
		GatewayClass:         *waypointClass,
		ManifestFS:           []fs.FS{manifests},
	}
	applier.MustApplyWithCleanup(t, options.Client, options.TimeoutConfig, "mesh.yaml", options.CleanupBaseResources)
	waypoint := types.NamespacedName{Namespace: suite.MeshNamespace, Name: "waypoint"}
	require.Eventually(t, func() bool {
		found := &gateway.Gateway{}
		require.NoError(t, options.Client.Get(t.Context(), waypoint, found))
		return meta.IsStatusConditionTrue(found.Status.Conditions, string(gateway.GatewayConditionProgrammed))
	}, options.TimeoutConfig.NamespacesMustBeReady, time.Second, "the waypoint is not programmed")
}
