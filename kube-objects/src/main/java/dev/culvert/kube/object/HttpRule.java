package dev.culvert.kube.object;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// One rule of a VirtualService or an HTTPRoute: which requests it is for and what happens to them. Names are as the
/// author wrote them.
///
/// @param name empty if it has none
/// @param matches one of them must hold; none: every request
/// @param place where the rule begins
public record HttpRule(
        String name, List<Match> matches, Headers request, Headers response, Action action, Place place) {
    /// All that is there must hold.
    /// @param port of the Service, if only requests to this one are meant
    /// @param withoutHeaders must not match; what is missing does not
    public record Match(
            Optional<Text> path,
            boolean ignorePathCase,
            Optional<Text> method,
            Optional<Text> scheme,
            Optional<Text> authority,
            List<Named> headers,
            List<Named> withoutHeaders,
            List<Named> queryParameters,
            Optional<Integer> port) {
        public Match {
            headers = List.copyOf(headers);
            withoutHeaders = List.copyOf(withoutHeaders);
            queryParameters = List.copyOf(queryParameters);
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
                Optional.empty());
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
    public record Redirect(int code, String scheme, String authority, int port, Optional<PathChange> newPath)
            implements Action {}

    public record Respond(int status, String body) implements Action {}

    /// What it asks for does not exist here; its requests are refused.
    public record Unsupported(String what) implements Action {}

    /// @param prefixOnly whether only the prefix that matched is replaced
    public record PathChange(boolean prefixOnly, String value) {}

    /// @param host of a VirtualService: short or full; of an HTTPRoute: the Service's name
    /// @param namespace of an HTTPRoute's backend; else empty
    /// @param broken why it can never be reached; else empty
    public record Destination(
            String host,
            String namespace,
            Optional<Integer> port,
            String subset,
            int weight,
            Headers request,
            Headers response,
            String broken) {}

    /// @param conditions Envoy's words
    public record Retry(
            int attempts,
            Optional<Duration> perTryTimeout,
            List<String> conditions,
            List<Integer> codes,
            Optional<Duration> backoff) {
        public Retry {
            conditions = List.copyOf(conditions);
            codes = List.copyOf(codes);
        }
    }

    public HttpRule {
        matches = List.copyOf(matches);
    }
}
