package dev.culvert.kube.object;

/// An object that was read without an error.
public sealed interface KubeObject
        permits Namespace,
                Node,
                Pod,
                Service,
                ServiceAccount,
                TlsSecret,
                MeshConfig,
                AuthorityMap,
                EndpointSlice,
                Deployment,
                RevisionTag,
                PeerAuthentication,
                AuthorizationPolicy,
                Gateway,
                IstioGateway,
                GatewayClass,
                Route,
                ReferenceGrant,
                VirtualService,
                DestinationRule,
                RequestAuthentication,
                ServiceEntry,
                WorkloadEntry,
                Unserved,
                Telemetry {
    Metadata metadata();

    /// Where the object begins.
    Place place();

    default Kind kind() {
        return switch (this) {
            case Namespace _ -> Kind.NAMESPACE;
            case Node _ -> Kind.NODE;
            case Pod _ -> Kind.POD;
            case Service _ -> Kind.SERVICE;
            case ServiceAccount _ -> Kind.SERVICE_ACCOUNT;
            case TlsSecret _ -> Kind.SECRET;
            case MeshConfig _ -> Kind.CONFIG_MAP;
            case AuthorityMap _ -> Kind.CONFIG_MAP;
            case EndpointSlice _ -> Kind.ENDPOINT_SLICE;
            case Deployment _ -> Kind.DEPLOYMENT;
            case RevisionTag _ -> Kind.MUTATING_WEBHOOK;
            case PeerAuthentication _ -> Kind.PEER_AUTHENTICATION;
            case AuthorizationPolicy _ -> Kind.AUTHORIZATION_POLICY;
            case Gateway _ -> Kind.GATEWAY;
            case IstioGateway _ -> Kind.ISTIO_GATEWAY;
            case GatewayClass _ -> Kind.GATEWAY_CLASS;
            case HttpRoute route -> route.kind();
            case RawRoute route -> route.kind();
            case ReferenceGrant _ -> Kind.REFERENCE_GRANT;
            case RequestAuthentication _ -> Kind.REQUEST_AUTHENTICATION;
            case VirtualService _ -> Kind.VIRTUAL_SERVICE;
            case DestinationRule _ -> Kind.DESTINATION_RULE;
            case ServiceEntry _ -> Kind.SERVICE_ENTRY;
            case WorkloadEntry _ -> Kind.WORKLOAD_ENTRY;
            case Unserved other -> other.kind();
            case Telemetry _ -> Kind.TELEMETRY;
        };
    }

    default ObjectKey key() {
        return new ObjectKey(kind(), metadata().namespace(), metadata().name());
    }

    default String name() {
        return metadata().name();
    }

    default String namespace() {
        return metadata().namespace();
    }
}
