package dev.culvert.mesh.model.telemetry;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// An expression of the part of CEL that filters and labels need: texts, numbers, comparisons, `&&`, `||`, `!`, `?:`,
/// `in`, `+`, `has`, and the functions of texts. There are no loops: the cost is bounded by the size. Immutable.
/// Source: the language definition of CEL, <https://github.com/google/cel-spec>.
public final class Expression {
    /// Longer ones are no expression.
    public static final int MAX_LENGTH = 2048;

    /// Of a text that is put together.
    private static final int MAX_TEXT = 8192;

    private final Node root;

    private Expression(Node root) {
        this.root = root;
    }

    /// @param regex makes a predicate of a pattern in RE2's syntax; throws whatever it likes if it is none
    /// @throws IllegalArgumentException if it is none, or asks what nobody here could answer
    public static Expression parse(String text, Function<String, Predicate<String>> regex) {
        return new Expression(new ExpressionParser(text, regex).whole());
    }

    /// What became of one.
    public sealed interface Result {
        /// @param value not a header map
        record Value(Object value) implements Result {
            /// As a label or a word shows it.
            public String text() {
                return value instanceof Duration took ? took.toNanos() / 1_000_000_000.0 + "s" : value.toString();
            }
        }

        /// It asks for what this request does not have.
        record Missing() implements Result {}

        /// It makes no sense of what there is, such as a comparison of a text with a number.
        record Senseless() implements Result {}
    }

    private static final Object MISSING = new Result.Missing();
    private static final Object SENSELESS = new Result.Senseless();

    public Result evaluate(Attributes of) {
        var value = value(root, of);
        return switch (value) {
            case Result result -> result;
            case String text -> new Result.Value(text);
            case Long number -> new Result.Value(number);
            case Double number -> new Result.Value(number);
            case Boolean flag -> new Result.Value(flag);
            case Duration time -> new Result.Value(time);
            default -> new Result.Senseless();
        };
    }

    sealed interface Node {
        record Literal(Object value) implements Node {}

        record Items(List<Node> items) implements Node {}

        record Attribute(String name) implements Node {}

        record Header(String of, Node name) implements Node {}

        record Has(Node what) implements Node {}

        record Not(Node of) implements Node {}

        record Negated(Node of) implements Node {}

        record Both(Node left, Node right) implements Node {}

        record Either(Node left, Node right) implements Node {}

        record Choice(Node when, Node then, Node otherwise) implements Node {}

        record Compared(String how, Node left, Node right) implements Node {}

        record Among(Node one, Node all) implements Node {}

        record Sum(Node left, Node right) implements Node {}

        record Call(String name, Node of, List<Node> arguments) implements Node {}

        record Matched(Node of, Predicate<String> pattern) implements Node {}
    }

    private static Object value(Node node, Attributes of) {
        return switch (node) {
            case Node.Literal(var value) -> value;
            case Node.Items(var items) ->
                items.stream().map(item -> value(item, of)).toList();
            case Node.Attribute(var name) -> known(of.value(name));
            case Node.Header(var map, var name) -> header(of.value(map), value(name, of));
            case Node.Has(var what) -> !value(what, of).equals(MISSING);
            case Node.Not(var one) -> not(value(one, of));
            case Node.Negated(var one) -> negated(value(one, of));
            case Node.Both(var left, var right) -> logic(value(left, of), value(right, of), false);
            case Node.Either(var left, var right) -> logic(value(left, of), value(right, of), true);
            case Node.Choice(var when, var then, var otherwise) -> {
                var decided = value(when, of);
                yield decided instanceof Boolean flag ? value(flag ? then : otherwise, of) : wrong(decided);
            }
            case Node.Compared(var how, var left, var right) -> compared(how, value(left, of), value(right, of));
            case Node.Among(var one, var all) -> among(value(one, of), value(all, of));
            case Node.Sum(var left, var right) -> sum(value(left, of), value(right, of));
            case Node.Call(var name, var one, var arguments) ->
                call(
                        name,
                        value(one, of),
                        arguments.stream().map(argument -> value(argument, of)).toList());
            case Node.Matched(var one, var pattern) -> matched(value(one, of), pattern);
        };
    }

    private static Object known(@Nullable Object value) {
        return value == null ? MISSING : value;
    }

    /// What is missing stays so, whatever is asked of it.
    private static Object wrong(Object... values) {
        for (var value : values) {
            if (value.equals(MISSING)) {
                return MISSING;
            }
        }
        return SENSELESS;
    }

    private static Object header(@Nullable Object map, Object name) {
        if (map == null) {
            return MISSING;
        }
        return map instanceof Attributes.Headers headers && name instanceof String text
                ? known(headers.first(text))
                : wrong(name);
    }

    private static Object not(Object value) {
        return value instanceof Boolean flag ? !flag : wrong(value);
    }

    private static Object matched(Object value, Predicate<String> pattern) {
        return value instanceof String text ? pattern.test(text) : wrong(value);
    }

    private static Object negated(Object value) {
        return switch (value) {
            case Long number -> -number;
            case Double number -> -number;
            default -> wrong(value);
        };
    }

    /// Of `&&` and `||`: one side that decides is enough, whatever the other is.
    /// @param decisive false for `&&`
    private static Object logic(Object left, Object right, boolean decisive) {
        if (left.equals(decisive) || right.equals(decisive)) {
            return decisive;
        }
        return left instanceof Boolean && right instanceof Boolean ? !decisive : wrong(left, right);
    }

    private static Object compared(String how, Object left, Object right) {
        if (left instanceof Result || right instanceof Result) {
            return wrong(left, right);
        }
        var order = order(left, right);
        if (order == null) {
            return SENSELESS;
        }
        return switch (how) {
            case "==" -> order == 0;
            case "!=" -> order != 0;
            case "<" -> order < 0;
            case "<=" -> order <= 0;
            case ">" -> order > 0;
            case ">=" -> order >= 0;
            default -> throw new IllegalArgumentException(how);
        };
    }

    /// Null for what cannot be compared.
    private static @Nullable Integer order(Object left, Object right) {
        return switch (left) {
            case String text when right instanceof String other -> text.compareTo(other);
            case Long number when right instanceof Long other -> number.compareTo(other);
            case Number number
            when right instanceof Number other -> Double.compare(number.doubleValue(), other.doubleValue());
            case Boolean flag when right instanceof Boolean other -> flag.compareTo(other);
            case Duration time when right instanceof Duration other -> time.compareTo(other);
            default -> null;
        };
    }

    private static Object among(Object one, Object all) {
        if (one instanceof Result) {
            return one;
        }
        return switch (all) {
            case List<?> items -> items.stream().anyMatch(item -> Objects.equals(order(one, item), 0));
            case Attributes.Headers headers when one instanceof String name -> headers.first(name) != null;
            default -> wrong(all);
        };
    }

    private static Object sum(Object left, Object right) {
        return switch (left) {
            case String text
            when right instanceof String other -> text.length() + other.length() > MAX_TEXT ? SENSELESS : text + other;
            case Long number when right instanceof Long other -> number + other;
            case Double number when right instanceof Number other -> number + other.doubleValue();
            default -> wrong(left, right);
        };
    }

    private static Object call(String name, Object of, List<Object> arguments) {
        if (name.equals("size")) {
            return of instanceof String text ? (Object) (long) text.codePointCount(0, text.length()) : wrong(of);
        }
        if (name.equals("string")) {
            return of instanceof Result ? of : new Result.Value(of).text();
        }
        if (name.equals("int")) {
            return number(of);
        }
        if (!(of instanceof String text) || !(arguments.getFirst() instanceof String part)) {
            return wrong(of, arguments.getFirst());
        }
        return switch (name) {
            case "startsWith" -> text.startsWith(part);
            case "endsWith" -> text.endsWith(part);
            case "contains" -> text.contains(part);
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static Object number(Object of) {
        return switch (of) {
            case Long number -> number;
            case Double number -> number.longValue();
            case String text when text.matches("-?[0-9]{1,18}") -> Long.parseLong(text);
            default -> wrong(of);
        };
    }
}
