package dev.culvert.ztunnel.dns.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.handler.codec.dns.DatagramDnsQuery;
import io.netty.handler.codec.dns.DatagramDnsQueryEncoder;
import io.netty.handler.codec.dns.DatagramDnsResponse;
import io.netty.handler.codec.dns.DatagramDnsResponseDecoder;
import io.netty.handler.codec.dns.DefaultDnsQuestion;
import io.netty.handler.codec.dns.DefaultDnsRawRecord;
import io.netty.handler.codec.dns.DefaultDnsRecordDecoder;
import io.netty.handler.codec.dns.DnsOpCode;
import io.netty.handler.codec.dns.DnsQuestion;
import io.netty.handler.codec.dns.DnsRawRecord;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponseCode;
import io.netty.handler.codec.dns.DnsSection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Our messages, judged by Netty's codec as another implementation.
class MessagesTest {
    private static final InetSocketAddress HERE = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 53);
    private static final int ID = 0xbeef;

    private static byte[] ask(String name, DnsRecordType type, int payload) {
        var query = new DatagramDnsQuery(HERE, HERE, ID);
        query.setRecursionDesired(true);
        query.addRecord(DnsSection.QUESTION, new DefaultDnsQuestion(name, type));
        if (payload > 0) {
            query.addRecord(
                    DnsSection.ADDITIONAL,
                    new DefaultDnsRawRecord("", DnsRecordType.OPT, payload, 1 << 16, Unpooled.EMPTY_BUFFER));
        }
        var channel = new EmbeddedChannel(new DatagramDnsQueryEncoder());
        channel.writeOutbound(query);
        DatagramPacket packet = channel.readOutbound();
        try {
            return ByteBufUtil.getBytes(packet.content());
        } finally {
            packet.release();
            channel.finishAndReleaseAll();
        }
    }

    private static void read(byte[] answer, Consumer<DatagramDnsResponse> judge) {
        var channel = new EmbeddedChannel(new DatagramDnsResponseDecoder());
        channel.writeInbound(new DatagramPacket(Unpooled.wrappedBuffer(answer), HERE, HERE));
        DatagramDnsResponse response = channel.readInbound();
        try {
            judge.accept(response);
        } finally {
            response.release();
            channel.finishAndReleaseAll();
        }
    }

    private static List<InetAddress> addresses(DatagramDnsResponse response) {
        return IntStream.range(0, response.count(DnsSection.ANSWER))
                .mapToObj(i -> response.<DnsRawRecord>recordAt(DnsSection.ANSWER, i))
                .filter(record -> !record.type().equals(DnsRecordType.CNAME))
                .map(record -> {
                    try {
                        return InetAddress.getByAddress(ByteBufUtil.getBytes(record.content()));
                    } catch (java.net.UnknownHostException e) {
                        throw new AssertionError(e);
                    }
                })
                .toList();
    }

    @Test
    void questionIsReadAsItIs() throws Exception {
        var query = Query.read(ask("Cart.Shop.", DnsRecordType.AAAA, 1232));
        assertThat(query.name()).isEqualTo("cart.shop");
        assertThat(query.type()).isEqualTo(28);
        assertThat(query.dnsClass()).isEqualTo(1);
        assertThat(query.isHostname()).isTrue();
        assertThat(query.edns()).isEqualTo(new Edns(1, 1232));
        assertThat(query.udpLimit()).isEqualTo(1232);
        assertThat(Query.read(ask("a.", DnsRecordType.A, 0)).udpLimit()).isEqualTo(512);
        assertThat(Query.read(ask("a.", DnsRecordType.A, 100)).udpLimit()).isEqualTo(512);
        assertThat(Query.read(ask(".", DnsRecordType.NS, 0)).isHostname()).isFalse();
    }

    /// The question comes back in its letter case, names of records in lower case; AA and RA are set, TTL is 30.
    @Test
    void answerOfOurs() throws Exception {
        var query = Query.read(ask("CART.shop.", DnsRecordType.A, 4096));
        var ips = List.of(InetAddress.ofLiteral("198.19.0.1"), InetAddress.ofLiteral("198.19.0.2"));
        read(Answers.local(query, null, ips, 4096), response -> {
            assertThat(response.id()).isEqualTo(ID);
            assertThat(response.code()).isEqualTo(DnsResponseCode.NOERROR);
            assertThat(response.isAuthoritativeAnswer()).isTrue();
            assertThat(response.isRecursionAvailable()).isTrue();
            assertThat(response.isRecursionDesired()).isTrue();
            assertThat(response.isTruncated()).isFalse();
            assertThat(response.<DnsQuestion>recordAt(DnsSection.QUESTION).name())
                    .isEqualTo("CART.shop.");
            assertThat(addresses(response)).isEqualTo(ips);
            DnsRecord record = response.recordAt(DnsSection.ANSWER);
            assertThat(record.name()).isEqualTo("cart.shop.");
            assertThat(record.timeToLive()).isEqualTo(30);
            DnsRecord opt = response.recordAt(DnsSection.ADDITIONAL);
            assertThat(opt.type()).isEqualTo(DnsRecordType.OPT);
            assertThat(opt.dnsClass()).isEqualTo(4096);
            assertThat(opt.timeToLive() >> 16).as("EDNS version, echoed").isEqualTo(1);
        });
    }

    @Test
    void cnameComesFirstAndAddressesAreItsTarget() throws Exception {
        var query = Query.read(ask("api.example.com.shop.svc.cluster.local.", DnsRecordType.AAAA, 0));
        var ips = List.of(InetAddress.ofLiteral("fd00::1"), InetAddress.ofLiteral("fd00::2"));
        read(Answers.local(query, "api.example.com", ips, 512), response -> {
            DnsRawRecord cname = response.recordAt(DnsSection.ANSWER, 0);
            assertThat(cname.type()).isEqualTo(DnsRecordType.CNAME);
            assertThat(cname.name()).isEqualTo("api.example.com.shop.svc.cluster.local.");
            assertThat(DefaultDnsRecordDecoder.decodeName(cname.content().duplicate()))
                    .isEqualTo("api.example.com.");
            assertThat(response.<DnsRecord>recordAt(DnsSection.ANSWER, 1).name())
                    .isEqualTo("api.example.com.");
            assertThat(response.<DnsRecord>recordAt(DnsSection.ANSWER, 2).name())
                    .isEqualTo("api.example.com.");
            assertThat(addresses(response)).isEqualTo(ips);
            assertThat(response.count(DnsSection.ADDITIONAL)).isZero();
        });
    }

    @Test
    void knownWithoutAddressIsAnEmptyNoerror() throws Exception {
        var query = Query.read(ask("cart.", DnsRecordType.AAAA, 0));
        read(Answers.local(query, null, List.of(), 512), response -> {
            assertThat(response.code()).isEqualTo(DnsResponseCode.NOERROR);
            assertThat(response.isAuthoritativeAnswer()).isTrue();
            assertThat(response.count(DnsSection.ANSWER)).isZero();
        });
    }

    @Test
    void errorsClaimNothing() throws Exception {
        var query = Query.read(ask("cart.", DnsRecordType.A, 1232));
        read(Answers.error(query, Rcode.SERVFAIL), response -> {
            assertThat(response.code()).isEqualTo(DnsResponseCode.SERVFAIL);
            assertThat(response.isAuthoritativeAnswer()).isFalse();
            assertThat(response.isRecursionAvailable()).isFalse();
            assertThat(response.count(DnsSection.ADDITIONAL)).isOne();
        });
    }

    /// TC, and as many as fit; never a byte more than the asker takes.
    @ParameterizedTest
    @CsvSource({"0, 512", "600, 600", "1232, 1232", "65535, 65535"})
    void whatDoesNotFitIsCut(int payload, int limit) throws Exception {
        var query = Query.read(ask("headless.shop.svc.cluster.local.", DnsRecordType.A, payload));
        var ips = IntStream.range(0, 5000)
                .mapToObj(i -> InetAddress.ofLiteral("198.18." + i / 250 + "." + (1 + i % 250)))
                .toList();
        var answer = Answers.local(query, null, ips, query.udpLimit());
        assertThat(answer.length).isBetween(limit - 16, limit);
        read(answer, response -> {
            assertThat(response.isTruncated()).isTrue();
            assertThat(addresses(response)).isEqualTo(ips.subList(0, response.count(DnsSection.ANSWER)));
            assertThat(response.count(DnsSection.ADDITIONAL)).isEqualTo(payload == 0 ? 0 : 1);
        });
    }

    @ParameterizedTest
    @CsvSource({"STATUS", "NOTIFY", "UPDATE"})
    void otherOpcodesAreNotImplemented(String opcode) {
        var bytes = ask("a.", DnsRecordType.A, 0);
        var code =
                switch (opcode) {
                    case "STATUS" -> DnsOpCode.STATUS;
                    case "NOTIFY" -> DnsOpCode.NOTIFY;
                    default -> DnsOpCode.UPDATE;
                };
        bytes[2] |= (byte) (code.byteValue() << 3);
        refused(bytes, DnsResponseCode.NOTIMP);
    }

    private static void refused(byte[] bytes, DnsResponseCode code) {
        assertThatThrownBy(() -> Query.read(bytes))
                .isInstanceOfSatisfying(
                        BadMessageException.class,
                        bad -> read(bad.answer().orElseThrow(), response -> {
                            assertThat(response.code()).isEqualTo(code);
                            assertThat(response.id()).isEqualTo(ID);
                            assertThat(response.isAuthoritativeAnswer()).isFalse();
                        }));
    }

    /// After the id, in hexadecimal.
    @ParameterizedTest
    @CsvSource(textBlock = """
            no question,                 0100 0000 0000 0000 0000
            two questions,               0100 0002 0000 0000 0000 0161 00 0001 0001 0161 00 0001 0001
            cut in the name,             0100 0001 0000 0000 0000 0561 62
            cut before the class,        0100 0001 0000 0000 0000 0161 00 0001
            bytes behind,                0100 0001 0000 0000 0000 0161 00 0001 0001 00
            a pointer in the question,   0100 0001 0000 0000 0000 c00c 0001 0001
            a label of an unknown kind,  0100 0001 0000 0000 0000 4161 00 0001 0001
            two OPT,                     0100 0001 0000 0000 0002 0161 00 0001 0001 00 0029 0200 00000000 0000 00 0029 0200 00000000 0000
            an OPT with a name,          0100 0001 0000 0000 0001 0161 00 0001 0001 0161 00 0029 0200 00000000 0000
            an OPT that ends early,      0100 0001 0000 0000 0001 0161 00 0001 0001 00 0029 0200 00000000 0004 00
            more records than there are, 0100 0001 0000 0000 0001 0161 00 0001 0001
            records without end,         0100 0001 ffff ffff ffff 0161 00 0001 0001
            """)
    void whatIsOutOfFormIsAFormatError(String what, String hex) {
        var bytes = HexFormat.of().parseHex("beef" + hex.replace(" ", ""));
        assertThat(what).isNotEmpty();
        refused(bytes, DnsResponseCode.FORMERR);
    }

    /// Two proxies that answered answers would never stop.
    @Test
    void answersAndScrapsAreNotAnswered() {
        var answer = ask("a.", DnsRecordType.A, 0);
        answer[2] |= (byte) 0x80;
        for (var bytes : List.of(answer, new byte[0], new byte[11])) {
            assertThatThrownBy(() -> Query.read(bytes))
                    .isInstanceOfSatisfying(
                            BadMessageException.class,
                            bad -> assertThat(bad.answer()).isEmpty());
        }
    }

    @Test
    void namesAreBounded() throws Exception {
        var label = "a".repeat(63);
        var longest = String.join(".", label, label, label, "a".repeat(61));
        assertThat(Query.of(longest, 1).name()).isEqualTo(longest);
        assertThatThrownBy(() -> Query.of(longest + "a", 1)).isInstanceOf(BadMessageException.class);
        assertThatThrownBy(() -> Query.of("a..b", 1)).isInstanceOf(BadMessageException.class);
        assertThatThrownBy(() -> Query.of("a".repeat(64), 1)).isInstanceOf(BadMessageException.class);
        assertThatThrownBy(() -> Query.of("ä", 1)).isInstanceOf(BadMessageException.class);
        refused(
                HexFormat.of().parseHex("beef01000001000000000000" + ("3f" + "61".repeat(63)).repeat(4) + "0000010001"),
                DnsResponseCode.FORMERR);
    }

    @Test
    void strangeBytesAreShownAndAreNoHostname() throws Exception {
        var bytes = HexFormat.of().parseHex("beef01000001000000000000" + "04612e005c" + "0161" + "00" + "00010001");
        var query = Query.read(bytes);
        assertThat(query.name()).isEqualTo("a\\.\\000\\\\.a");
        assertThat(query.isHostname()).isFalse();
    }

    // ---- answers of name servers ----

    private static byte[] answerTo(Query query, int id) {
        var answer = Answers.local(query, null, List.of(InetAddress.ofLiteral("203.0.113.7")), 512);
        answer[0] = (byte) (id >> 8);
        answer[1] = (byte) id;
        return answer;
    }

    @Test
    void replyPassesWithTheAskersIdAndWithoutAuthority() throws Exception {
        var query = Query.read(ask("ExAmple.com.", DnsRecordType.A, 0));
        var sent = Query.read(query.bytes(7));
        var reply = Reply.to(query, 7, answerTo(sent, 7)).orElseThrow();
        assertThat(reply.answers()).isOne();
        assertThat(reply.addresses()).containsExactly(InetAddress.ofLiteral("203.0.113.7"));
        read(reply.forClient(query, 512), response -> {
            assertThat(response.id()).isEqualTo(ID);
            assertThat(response.isAuthoritativeAnswer()).isFalse();
            assertThat(response.isRecursionAvailable()).isTrue();
            assertThat(addresses(response)).containsExactly(InetAddress.ofLiteral("203.0.113.7"));
        });
    }

    @Test
    void replyOfAnotherQuestionIsNone() throws Exception {
        var query = Query.read(ask("example.com.", DnsRecordType.A, 0));
        var good = answerTo(query, 7);
        assertThat(Reply.to(query, 7, good)).isPresent();
        assertThat(Reply.to(query, 8, good)).as("wrong id").isEmpty();
        assertThat(Reply.to(query, 7, query.bytes(7))).as("a question").isEmpty();
        var other = Query.read(ask("example.org.", DnsRecordType.A, 0));
        assertThat(Reply.to(query, 7, answerTo(other, 7))).as("wrong name").isEmpty();
        var six = Query.read(ask("example.com.", DnsRecordType.AAAA, 0));
        assertThat(Reply.to(query, 7, answerTo(six, 7))).as("wrong type").isEmpty();
        var shouting = Query.read(ask("EXAMPLE.com.", DnsRecordType.A, 0));
        assertThat(Reply.to(query, 7, answerTo(shouting, 7))).as("letter case").isPresent();
        for (var length = 0; length < 12 + 11 + 4; length++) {
            assertThat(Reply.to(query, 7, Arrays.copyOf(good, length)))
                    .as("cut at " + length)
                    .isEmpty();
        }
    }

    @Test
    void replyThatIsTooLongIsCutToItsQuestion() throws Exception {
        var query = Query.read(ask("example.com.", DnsRecordType.A, 600));
        var big = Arrays.copyOf(answerTo(query, 7), 601);
        var cut = Reply.to(query, 7, big).orElseThrow().forClient(query, query.udpLimit());
        read(cut, response -> {
            assertThat(response.isTruncated()).isTrue();
            assertThat(response.count(DnsSection.ANSWER)).isZero();
            assertThat(response.count(DnsSection.ADDITIONAL)).isOne();
        });
    }
}
