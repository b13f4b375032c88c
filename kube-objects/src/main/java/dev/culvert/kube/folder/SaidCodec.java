package dev.culvert.kube.folder;

import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.read.YamlReader;
import dev.culvert.kube.read.YamlReader.Chunk;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// What a file said, as bytes: each object's YAML with its place, so that reading it gives the same object. Pure.
final class SaidCodec {
    private static final int MAGIC = 0x434b4f31;
    private static final long NEVER = Long.MIN_VALUE;

    private SaidCodec() {}

    /// A file and what it said.
    record Decoded(Path file, Said said) {}

    static byte[] encode(Path file, Said said) throws IOException {
        var bytes = new ByteArrayOutputStream();
        var out = new DataOutputStream(bytes);
        out.writeInt(MAGIC);
        out.writeUTF(file.getFileName().toString());
        out.writeLong(said.wholeAt().map(Instant::toEpochMilli).orElse(NEVER));
        out.writeBoolean(said.unclear());
        writeKeys(out, said.missing());
        var keys = new HashMap<Chunk, Set<ObjectKey>>(); // a `List` is one chunk with several objects
        said.sources()
                .forEach((key, chunk) ->
                        keys.computeIfAbsent(chunk, _ -> new TreeSet<>()).add(key));
        out.writeInt(keys.size());
        for (var chunk : keys.entrySet()) {
            var text = chunk.getKey().text().getBytes(StandardCharsets.UTF_8);
            out.writeInt(chunk.getKey().linesBefore());
            out.writeInt(text.length);
            out.write(text);
            writeKeys(out, chunk.getValue());
        }
        return bytes.toByteArray();
    }

    private static void writeKeys(DataOutputStream out, Collection<ObjectKey> keys) throws IOException {
        out.writeInt(keys.size());
        for (var key : keys) {
            out.writeUTF(key.kind().shown());
            out.writeUTF(key.namespace());
            out.writeUTF(key.name());
        }
    }

    /// @param folder that the file is in
    /// @throws IOException if these are no such bytes
    static Decoded decode(Path folder, byte[] bytes) throws IOException {
        var in = new DataInputStream(new ByteArrayInputStream(bytes));
        if (in.readInt() != MAGIC) {
            throw new IOException("not a copy, or one of another version");
        }
        var name = in.readUTF();
        var file = folder.resolve(name);
        if (!folder.equals(file.getParent())) {
            throw new IOException("it names no file of the folder: " + name);
        }
        var whole = in.readLong();
        var unclear = in.readBoolean();
        var missing = readKeys(in);
        var objects = new HashMap<ObjectKey, KubeObject>();
        var sources = new HashMap<ObjectKey, Chunk>();
        for (var chunks = in.readInt(); chunks > 0; chunks--) {
            var chunk = new Chunk(in.readInt(), readText(in));
            var keys = readKeys(in);
            for (var object : YamlReader.read(file, List.of(chunk)).objects()) {
                if (keys.remove(object.key())) {
                    objects.put(object.key(), object);
                    sources.put(object.key(), chunk);
                }
            }
            missing.addAll(keys); // this version may be stricter than that which wrote the copy
        }
        var wholeAt = whole == NEVER ? Optional.<Instant>empty() : Optional.of(Instant.ofEpochMilli(whole));
        return new Decoded(file, new Said(objects, sources, missing, unclear, wholeAt));
    }

    private static String readText(DataInputStream in) throws IOException {
        var length = in.readInt();
        if (length < 0 || length > in.available()) {
            throw new EOFException("it is cut off");
        }
        return new String(in.readNBytes(length), StandardCharsets.UTF_8);
    }

    private static Set<ObjectKey> readKeys(DataInputStream in) throws IOException {
        var keys = new HashSet<ObjectKey>();
        for (var count = in.readInt(); count > 0; count--) {
            var kind = in.readUTF();
            var known = Kind.named(kind).orElseThrow(() -> new IOException("unknown kind " + kind));
            keys.add(new ObjectKey(known, in.readUTF(), in.readUTF()));
        }
        return keys;
    }
}
