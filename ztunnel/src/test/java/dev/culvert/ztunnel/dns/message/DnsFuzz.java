package dev.culvert.ztunnel.dns.message;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/// Questions and answers as strangers could write them. What is read as a question is said back as it was asked, within
/// the asker's limit; what is read as an answer repeats our question; a message that is an answer is never answered.
public final class DnsFuzz {
    private static final List<InetAddress> ADDRESSES = Stream.of("198.18.0.1", "198.18.0.2", "fd00::1")
            .map(InetAddress::ofLiteral)
            .toList();
    private static final int ID = 0x4711;

    private DnsFuzz() {}

    static List<byte[]> samples() {
        var question = "0107 0100 0001 0000 0000 0001 0463617274 0473686f70 00 0001 0001 00 0029 04d0 0000 0000 0000";
        var answer = "4711 8180 0001 0002 0000 0000 0463617274 0473686f70 00 0001 0001"
                + " c00c 0005 0001 0000003c 0004 01 62 c00c c02b 0001 0001 0000003c 0004 cb007107";
        return Stream.of(question, answer)
                .map(hex -> HexFormat.of().parseHex(hex.replace(" ", "")))
                .toList();
    }

    public static void fuzzerTestOneInput(byte[] data) {
        question(data);
        answer(data);
    }

    private static void question(byte[] data) {
        Query query;
        try {
            query = Query.read(data);
        } catch (BadMessageException bad) {
            bad.answer().ifPresent(answer -> {
                require((data[2] & 0x80) == 0, "an answer is answered");
                require(answer.length == 12 && (answer[2] & 0x80) != 0, "not a bare error");
            });
            return;
        }
        require(Arrays.equals(query.bytes(query.id()), data), "not as it was asked");
        require(query.isHostname() || query.name().isEmpty() || !query.name().isBlank(), "a blank name");
        for (var limit : new int[] {query.udpLimit(), Answers.MAX_BYTES}) {
            var answer = Answers.local(query, query.isHostname() ? "a.b" : null, ADDRESSES, limit);
            require(answer.length <= limit, "an answer of " + answer.length + " bytes");
            var reply = Reply.to(query, query.id(), answer);
            require(reply.isPresent(), "our answer is none");
            require(
                    reply.get()
                            .addresses()
                            .equals(ADDRESSES.subList(0, reply.get().addresses().size())),
                    "addresses");
        }
        if (query.isHostname()) {
            again(query);
        }
    }

    private static void again(Query query) {
        try {
            var same = Query.of(query.name(), query.type());
            require(Arrays.equals(same.lowerName(), query.lowerName()), "another name");
        } catch (BadMessageException e) {
            throw new AssertionError("a host name that is none: " + query.name(), e);
        }
    }

    private static void answer(byte[] data) {
        Query query;
        try {
            query = Query.of("cart.shop", RecordType.A);
        } catch (BadMessageException e) {
            throw new AssertionError(e);
        }
        Reply.to(query, ID, data).ifPresent(reply -> {
            var passed = reply.forClient(query, query.udpLimit());
            require(passed.length <= 512, "a reply of " + passed.length + " bytes");
            require((passed[2] & 0x84) == 0x80, "not an answer, or one with authority");
            require(reply.addresses().size() <= data.length / 14, "addresses from nothing");
        });
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
