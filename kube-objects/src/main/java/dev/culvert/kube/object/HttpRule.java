package dev.culvert.kube.object;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One rule of a VirtualService, an HTTPRoute or a GRPCRoute: which requests it is for and what happens to them. Names
/// are as the
/// author wrote them.
///
/// @param name empty if it has none
/// @param matches one of them must hold; none: every request
/// @param place where the rule begins
public record HttpRule(
        String name,
        List<Match> matches,
        Headers request,
        Headers response,
        Extras extras,
        Action action,
        Place place) {
    /// All that is there must hold.
    /// @param port of the Service, if only requests to this one are meant
    /// @param withoutHeaders must not match; what is missing does not
    /// @param source who calls, if only some are meant
    /// @param gateways that it is for, as those of a VirtualService; none: those of the whole object
    public record Match(
            Optional<Text> path,
            boolean ignorePathCase,
            Optional<Text> method,
            Optional<Text> scheme,
            Optional<Text> authority,
            List<Named> headers,
            List<Named> withoutHeaders,
            List<Named> queryParameters,
            Optional<Integer> port,
            Source source,
            List<String> gateways) {
        public Match {
            gateways = List.copyOf(gateways);
            headers = List.copyOf(headers);
            withoutHeaders = List.copyOf(withoutHeaders);
            queryParameters = List.copyOf(queryParameters);
        }

        /// The same of requests of these callers.
        public Match from(Source callers) {
            return new Match(
                    path,
                    ignorePathCase,
                    method,
                    scheme,
                    authority,
                    headers,
                    withoutHeaders,
                    queryParameters,
                    port,
                    callers,
                    gateways);
        }

        public static final Match ANY = new Match(
                Optional.empty(),
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                List.of(),
                List.of(),
                Optional.empty(),
                Source.ANY,
                List.of());
    }

    /// @param labels of the calling pod
    /// @param namespace of the caller; empty for any
    public record Source(Map<String, String> labels, String namespace) {
        public static final Source ANY = new Source(Map.of(), "");

        public Source {
            labels = Map.copyOf(labels);
        }
    }

    /// What happens besides to requests that are forwarded.
    public record Extras(Optional<Fault> fault, List<Mirror> mirrors, Optional<Cors> cors, Optional<Session> session) {
        public static final Extras NONE = new Extras(Optional.empty(), List.of(), Optional.empty(), Optional.empty());

        public Extras {
            mirrors = List.copyOf(mirrors);
        }
    }

    /// A client that comes back with its cookie or header reaches the same endpoint, as long as there is that.
    /// @param byHeader else by cookie
    /// @param lifetime of the cookie; zero: as long as the browser runs
    public record Session(String name, boolean byHeader, Duration lifetime) {}

    /// Shares are parts of a million.
    /// @param abortStatus of HTTP; 0 if there is none
    public record Fault(
            Duration delay, int delayShare, int abortStatus, Optional<Integer> abortGrpcStatus, int abortShare) {}

    /// @param share parts of a million
    public record Mirror(Destination to, int share) {}

    /// @param maxAge zero: preflights may not be kept; empty: nothing is said
    /// @param answerAll whether preflights of other origins are answered, too, without allowing them
    public record Cors(
            List<Text> origins,
            List<String> methods,
            List<String> headers,
            List<String> exposeHeaders,
            Optional<Duration> maxAge,
            boolean credentials,
            boolean answerAll) {
        public Cors {
            origins = List.copyOf(origins);
            methods = List.copyOf(methods);
            headers = List.copyOf(headers);
            exposeHeaders = List.copyOf(exposeHeaders);
        }
    }

    /// How a text is compared.
    public enum TextKind {
        EXACT,
        PREFIX,
        /// A prefix of whole path segments.
        SEGMENTS,
        REGEX,
        PRESENT
    }

    public record Text(TextKind kind, String value) {}

    public record Named(String name, Text text) {}

    /// First removed, then set, then added.
    public record Headers(List<String> remove, List<Header> set, List<Header> add) {
        public static final Headers NONE = new Headers(List.of(), List.of(), List.of());

        public Headers {
            remove = List.copyOf(remove);
            set = List.copyOf(set);
            add = List.copyOf(add);
        }
    }

    public record Header(String name, String value) {}

    public sealed interface Action {}

    /// @param timeout of the whole exchange; zero is none
    public record Forward(
            List<Destination> destinations,
            Optional<Duration> timeout,
            Optional<Retry> retry,
            Optional<String> newAuthority,
            Optional<PathChange> newPath)
            implements Action {
        public Forward {
            destinations = List.copyOf(destinations);
        }
    }

    /// @param code of the answer
    /// @param port 0 to derive it
    public record Redirect(
            int code, String scheme, String authority, int port, PortFrom portFrom, Optional<PathChange> newPath)
            implements Action {}

    /// The port of a redirect that names none.
    public enum PortFrom {
        /// As in the request, if host and scheme stay.
        SENT,
        SCHEME,
        DIALLED
    }

    /// The rules of another VirtualService, within the conditions of this one.
    public record Delegate(String name, String namespace) implements Action {}

    public record Respond(int status, String body) implements Action {}

    /// What it asks for does not exist here; its requests are refused.
    public record Unsupported(String what) implements Action {}

    /// @param prefixOnly whether only the prefix that matched is replaced
    /// @param regex RE2: what of the path is replaced, each time it matches; empty for none
    public record PathChange(boolean prefixOnly, String regex, String value) {
        public PathChange(boolean prefixOnly, String value) {
            this(prefixOnly, "", value);
        }
    }

    /// @param host of a VirtualService: short or full; of an HTTPRoute: the Service's name,
    ///     or a host name, which has a dot
    /// @param namespace of an HTTPRoute's backend; else empty
    /// @param authority of this destination instead of the rule's
    /// @param broken why it can never be reached; else empty
    public record Destination(
            String host,
            String namespace,
            Optional<Integer> port,
            String subset,
            int weight,
            Headers request,
            Headers response,
            Optional<String> authority,
            String broken) {}

    /// @param conditions Envoy's words
    /// @param sameEndpoint whether a try may go where one has failed already
    public record Retry(
            int attempts,
            Optional<Duration> perTryTimeout,
            List<String> conditions,
            List<Integer> codes,
            Optional<Duration> backoff,
            boolean sameEndpoint) {
        public Retry {
            conditions = List.copyOf(conditions);
            codes = List.copyOf(codes);
        }
    }

    public HttpRule {
        matches = List.copyOf(matches);
    }

    /// What of it is for a gateway, or for `mesh`; empty if nothing is.
    public Optional<HttpRule> by(String gateway) {
        var left = matches.stream()
                .filter(match -> match.gateways.isEmpty() || match.gateways.contains(gateway))
                .toList();
        return left.isEmpty() && !matches.isEmpty()
                ? Optional.empty()
                : Optional.of(new HttpRule(name, left, request, response, extras, action, place));
    }
}
