package dev.culvert.kube.object;

/// An object that was read without an error.
public sealed interface KubeObject
        permits Namespace,
                Node,
                Pod,
                Service,
                ServiceAccount,
                EndpointSlice,
                Deployment,
                PeerAuthentication,
                AuthorizationPolicy,
                Gateway,
                HttpRoute,
                VirtualService,
                DestinationRule {
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
            case EndpointSlice _ -> Kind.ENDPOINT_SLICE;
            case Deployment _ -> Kind.DEPLOYMENT;
            case PeerAuthentication _ -> Kind.PEER_AUTHENTICATION;
            case AuthorizationPolicy _ -> Kind.AUTHORIZATION_POLICY;
            case Gateway _ -> Kind.GATEWAY;
            case HttpRoute _ -> Kind.HTTP_ROUTE;
            case VirtualService _ -> Kind.VIRTUAL_SERVICE;
            case DestinationRule _ -> Kind.DESTINATION_RULE;
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
