package dev.culvert.mesh.model.telemetry;

import dev.culvert.mesh.model.telemetry.Expression.Node;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Reads an [Expression], by recursive descent. For one text.
final class ExpressionParser {
    private static final int MAX_DEPTH = 32;
    private static final Pattern TOKEN = Pattern.compile("\\s*(?:([A-Za-z_][A-Za-z0-9_]*)"
            + "|([0-9]+\\.[0-9]+|[0-9]{1,18})"
            + "|\"((?:[^\"\\\\]|\\\\.)*)\"|'((?:[^'\\\\]|\\\\.)*)'"
            + "|(&&|\\|\\||[=!<>]=|[<>!?:+\\-.,()\\[\\]]))");
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    private static final Set<String> OF_TEXTS = Set.of("startsWith", "endsWith", "contains", "matches", "size");

    private final String text;
    private final Function<String, Predicate<String>> regex;
    private final List<Token> tokens = new ArrayList<>();
    private int next;
    private int depth;

    private enum Sort {
        NAME,
        NUMBER,
        TEXT,
        SIGN,
        END
    }

    private record Token(Sort sort, String text, int at) {}

    ExpressionParser(String text, Function<String, Predicate<String>> regex) {
        this.text = text;
        this.regex = regex;
    }

    Node whole() {
        if (text.length() > Expression.MAX_LENGTH) {
            throw new IllegalArgumentException("it is longer than " + Expression.MAX_LENGTH + " characters");
        }
        split();
        var root = choice();
        if (peek().sort != Sort.END) {
            throw unexpected();
        }
        return root;
    }

    private void split() {
        var at = 0;
        var matcher = TOKEN.matcher(text);
        while (!text.substring(at).isBlank()) {
            if (!matcher.region(at, text.length()).lookingAt()) {
                throw new IllegalArgumentException("\"" + text.substring(at).strip() + "\" cannot be read");
            }
            tokens.add(token(matcher));
            at = matcher.end();
        }
        tokens.add(new Token(Sort.END, "", text.length()));
    }

    private static Token token(Matcher found) {
        if (found.group(1) != null) {
            return new Token(Sort.NAME, found.group(1), found.start(1));
        }
        if (found.group(2) != null) {
            return new Token(Sort.NUMBER, found.group(2), found.start(2));
        }
        if (found.group(5) != null) {
            return new Token(Sort.SIGN, found.group(5), found.start(5));
        }
        var quoted = found.group(3) == null ? found.group(4) : found.group(3);
        return new Token(Sort.TEXT, unescaped(quoted), found.end() - quoted.length() - 1);
    }

    private static String unescaped(String quoted) {
        var plain = new StringBuilder();
        for (var i = 0; i < quoted.length(); i++) {
            var c = quoted.charAt(i);
            if (c != '\\') {
                plain.append(c);
                continue;
            }
            plain.append(
                    switch (quoted.charAt(++i)) {
                        case 'n' -> '\n';
                        case 't' -> '\t';
                        case 'r' -> '\r';
                        case '\\', '\'', '"', '?', '`' -> quoted.charAt(i);
                        default ->
                            throw new IllegalArgumentException("\\" + quoted.charAt(i) + " is no escape known here");
                    });
        }
        return plain.toString();
    }

    private Token peek() {
        return tokens.get(next);
    }

    private boolean takes(String sign) {
        var takes = peek().sort == Sort.SIGN && peek().text.equals(sign);
        next += takes ? 1 : 0;
        return takes;
    }

    private void expect(String sign) {
        if (!takes(sign)) {
            throw unexpected();
        }
    }

    private IllegalArgumentException unexpected() {
        var token = peek();
        return new IllegalArgumentException(
                token.sort == Sort.END
                        ? "it ends too early"
                        : "\"" + token.text + "\" at character " + (token.at + 1) + " is not expected there");
    }

    private Node choice() {
        if (++depth > MAX_DEPTH) {
            throw new IllegalArgumentException("it is nested more than " + MAX_DEPTH + " deep");
        }
        var node = either();
        if (takes("?")) {
            var then = choice();
            expect(":");
            node = new Node.Choice(node, then, choice());
        }
        depth--;
        return node;
    }

    private Node either() {
        var node = both();
        while (takes("||")) {
            node = new Node.Either(node, both());
        }
        return node;
    }

    private Node both() {
        var node = compared();
        while (takes("&&")) {
            node = new Node.Both(node, compared());
        }
        return node;
    }

    private Node compared() {
        var node = sum();
        while (true) {
            var token = peek();
            if (token.sort == Sort.SIGN && COMPARISONS.contains(token.text)) {
                next++;
                node = new Node.Compared(token.text, node, sum());
            } else if (token.sort == Sort.NAME && token.text.equals("in")) {
                next++;
                node = new Node.Among(node, sum());
            } else {
                return node;
            }
        }
    }

    private Node sum() {
        var node = unary();
        while (true) {
            if (takes("+")) {
                node = new Node.Sum(node, unary());
            } else if (takes("-")) {
                node = new Node.Sum(node, new Node.Negated(unary()));
            } else {
                return node;
            }
        }
    }

    private Node unary() {
        if (++depth > MAX_DEPTH) {
            throw new IllegalArgumentException("it is nested more than " + MAX_DEPTH + " deep");
        }
        var node = takes("!") ? new Node.Not(unary()) : takes("-") ? new Node.Negated(unary()) : member();
        depth--;
        return node;
    }

    private Node member() {
        var token = peek();
        var isPath = token.sort == Sort.NAME
                && !followed("(")
                && !Set.of("true", "false", "null").contains(token.text);
        var node = isPath ? attribute() : primary();
        while (takes(".")) {
            node = method(node, name());
        }
        return node;
    }

    private boolean followed(String sign) {
        return tokens.get(next + 1).sort == Sort.SIGN
                && tokens.get(next + 1).text.equals(sign);
    }

    private String name() {
        if (peek().sort != Sort.NAME) {
            throw unexpected();
        }
        return tokens.get(next++).text;
    }

    /// `request.headers['x']`, `response.code`; Istio's peers also as members of `filter_state`.
    private Node attribute() {
        var first = name();
        if (first.equals("filter_state")) {
            expect(".");
            first = name();
        }
        var name = takes(".") ? first + "." + name() : first;
        var type = Attributes.KNOWN.get(name);
        if (type == null) {
            throw new IllegalArgumentException(name + " is not known here" + known(first + "."));
        }
        if (type == Attributes.Type.HEADERS && takes("[")) {
            var header = choice();
            expect("]");
            return new Node.Header(name, header);
        }
        return new Node.Attribute(name);
    }

    private static String known(String family) {
        var all = Attributes.KNOWN.keySet().stream()
                .filter(known -> known.startsWith(family))
                .sorted()
                .toList();
        return all.isEmpty() ? "" : ": of its kind there are " + String.join(", ", all);
    }

    private Node method(Node of, String name) {
        if (!OF_TEXTS.contains(name)) {
            throw new IllegalArgumentException(name + " is no function known here");
        }
        var arguments = arguments(name.equals("size") ? 0 : 1);
        return name.equals("matches") ? matched(of, arguments.getFirst()) : new Node.Call(name, of, arguments);
    }

    private Node matched(Node of, Node pattern) {
        if (pattern instanceof Node.Literal(var value) && value instanceof String expression) {
            try {
                return new Node.Matched(of, regex.apply(expression));
            } catch (RuntimeException bad) { // each library has its own
                throw new IllegalArgumentException("matches: " + bad.getMessage(), bad);
            }
        }
        throw new IllegalArgumentException("matches needs a pattern in quotes");
    }

    private List<Node> arguments(int count) {
        expect("(");
        var all = items(")");
        if (all.size() != count) {
            throw new IllegalArgumentException("a function has " + all.size() + " arguments instead of " + count);
        }
        return all;
    }

    private List<Node> items(String end) {
        var all = new ArrayList<Node>();
        if (takes(end)) {
            return all;
        }
        do {
            all.add(choice());
        } while (takes(","));
        expect(end);
        return all;
    }

    private Node primary() {
        var token = peek();
        return switch (token.sort) {
            case NUMBER -> {
                next++;
                yield new Node.Literal(number(token.text));
            }
            case TEXT -> {
                next++;
                yield new Node.Literal(token.text);
            }
            case NAME -> {
                next++;
                yield word(token.text);
            }
            case SIGN, END -> grouped();
        };
    }

    private static Object number(String text) {
        return text.contains(".") ? (Object) Double.parseDouble(text) : (Object) Long.parseLong(text);
    }

    private Node grouped() {
        if (takes("(")) {
            var inside = choice();
            expect(")");
            return inside;
        }
        if (takes("[")) {
            return new Node.Items(items("]"));
        }
        throw unexpected();
    }

    private Node word(String name) {
        return switch (name) {
            case "true" -> new Node.Literal(true);
            case "false" -> new Node.Literal(false);
            case "has" -> new Node.Has(arguments(1).getFirst());
            case "size", "string", "int" -> new Node.Call(name, arguments(1).getFirst(), List.of());
            case "duration" -> new Node.Literal(duration(arguments(1).getFirst()));
            default -> throw new IllegalArgumentException(name + " is no function or word known here");
        };
    }

    private static Duration duration(@Nullable Node argument) {
        if (argument instanceof Node.Literal(var value) && value instanceof String said) {
            var parts = Pattern.compile("([0-9]{1,9})(ms|s|m|h)").matcher(said);
            if (parts.matches()) {
                var number = Long.parseLong(parts.group(1));
                return switch (parts.group(2)) {
                    case "ms" -> Duration.ofMillis(number);
                    case "s" -> Duration.ofSeconds(number);
                    case "m" -> Duration.ofMinutes(number);
                    default -> Duration.ofHours(number);
                };
            }
        }
        throw new IllegalArgumentException("duration needs a text such as '250ms', '2s' or '1m'");
    }
}
