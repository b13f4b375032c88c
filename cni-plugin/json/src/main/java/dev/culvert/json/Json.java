package dev.culvert.json;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One JSON value. Immutable; objects keep the order of their members, numbers their spelling. No
/// `switch` looks into the kinds: its bootstrap alone costs the plugin 10 ms at its start.
public sealed interface Json {
    /// @param members in the order of the text
    /// @param span where it stands
    record Obj(Map<String, Json> members, Span span) implements Json {
        public Obj {
            members = Collections.unmodifiableMap(new LinkedHashMap<>(members));
        }

        /// A new object.
        public static Obj of(Map<String, Json> members) {
            var text = JsonWriter.write(members);
            return new Obj(members, new Span(text, 0, text.length()));
        }

        /// The object's own text as it was read, byte for byte.
        public String raw() {
            return span.text.substring(span.start, span.end);
        }

        public Optional<Json> get(String name) {
            return Optional.ofNullable(members.get(name));
        }

        private Optional<Json> present(String name) {
            return get(name).filter(value -> !(value instanceof Null));
        }

        /// The member, or empty if it is absent or `null`.
        /// @throws JsonException it is something else than a text
        public Optional<String> text(String name) throws JsonException {
            var found = present(name);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            if (found.get() instanceof Str(var value)) {
                return Optional.of(value);
            }
            throw wrong(name, "a string", found.get());
        }

        /// The member, or empty if it is absent or `null`.
        /// @throws JsonException it is something else than a truth value
        public Optional<Boolean> flag(String name) throws JsonException {
            var found = present(name);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            if (found.get() instanceof Bool(var value)) {
                return Optional.of(value);
            }
            throw wrong(name, "true or false", found.get());
        }

        /// The member, or empty if it is absent or `null`.
        /// @throws JsonException it is something else than an object
        public Optional<Obj> object(String name) throws JsonException {
            var found = present(name);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            if (found.get() instanceof Obj value) {
                return Optional.of(value);
            }
            throw wrong(name, "an object", found.get());
        }

        /// The member, or empty if it is absent or `null`.
        /// @throws JsonException it is something else than a list
        public Optional<List<Json>> list(String name) throws JsonException {
            var found = present(name);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            if (found.get() instanceof Arr(var items)) {
                return Optional.of(items);
            }
            throw wrong(name, "a list", found.get());
        }

        /// The objects of a list; empty if the member is absent or `null`.
        /// @throws JsonException the member is no list of objects
        public List<Obj> objects(String name) throws JsonException {
            var items = list(name).orElse(List.of());
            var objects = new ArrayList<Obj>(items.size());
            for (var item : items) {
                if (!(item instanceof Obj object)) {
                    throw wrong(name, "a list of objects", item);
                }
                objects.add(object);
            }
            return objects;
        }

        /// The texts of a list, or empty if the member is absent or `null`.
        /// @throws JsonException the member is no list of texts
        public Optional<List<String>> texts(String name) throws JsonException {
            var items = list(name);
            if (items.isEmpty()) {
                return Optional.empty();
            }
            var texts = new ArrayList<String>(items.get().size());
            for (var item : items.get()) {
                if (!(item instanceof Str(var value))) {
                    throw wrong(name, "a list of strings", item);
                }
                texts.add(value);
            }
            return Optional.of(texts);
        }

        @Override
        public String kind() {
            return "an object";
        }

        private static JsonException wrong(String name, String wanted, Json found) {
            return new JsonException("\"" + name + "\" must be " + wanted + ", not " + found.kind());
        }
    }

    /// A part of a text.
    record Span(String text, int start, int end) {}

    record Arr(List<Json> items) implements Json {
        public Arr {
            items = List.copyOf(items);
        }

        @Override
        public String kind() {
            return "a list";
        }
    }

    record Str(String value) implements Json {
        @Override
        public String kind() {
            return "a string";
        }
    }

    /// @param text as it was written
    record Num(String text) implements Json {
        @Override
        public String kind() {
            return "a number";
        }
    }

    record Bool(boolean value) implements Json {
        @Override
        public String kind() {
            return "a truth value";
        }
    }

    record Null() implements Json {
        @Override
        public String kind() {
            return "null";
        }
    }

    /// What it is, for messages.
    String kind();
}
