package dev.culvert.linux.netns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.linux.Errno;
import dev.culvert.linux.LinuxException;
import dev.culvert.linux.netns.OwnedTables.Claim;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OwnedTablesTest {
    private static final String NAME = "owned-tables";

    private Path path;
    private NetworkNamespace netns;

    @BeforeEach
    void add() throws Exception {
        path = Namespaces.add(NAME);
        netns = NetworkNamespace.open(path);
    }

    @AfterEach
    void delete() throws Exception {
        netns.close();
        Namespaces.run("ip", "netns", "del", NAME);
    }

    private OwnedTables open() throws IOException {
        return netns.call(OwnedTables::open);
    }

    private int generation() throws IOException {
        return netns.<Integer, IOException>call(Ruleset::generation);
    }

    private void nft(String statement) throws Exception {
        Namespaces.run("nsenter", "--net=" + path, "nft", statement);
    }

    @Test
    void nobodyElseChangesOrDeletesATableThatIsOwned() throws Exception {
        try (var tables = open()) {
            assertThat(tables.claim("one")).isEqualTo(Claim.OWNED);
            assertThat(tables.claim("one")).as("again").isEqualTo(Claim.OWNED);
            var made = generation();
            assertThatThrownBy(() -> nft("add chain inet one a")).hasMessageContaining("not permitted");
            assertThatThrownBy(() -> nft("delete table inet one")).hasMessageContaining("not permitted");
            nft("flush ruleset");
            nft("list table inet one");
            assertThat(generation()).isEqualTo(made);
        }
    }

    @Test
    void whatIsNobodysAnyMoreStaysAndIsClaimedWithItsRules() throws Exception {
        try (var tables = open()) {
            tables.claim("one");
        }
        nft("add chain inet one kept");
        try (var next = open()) {
            assertThat(next.claim("one")).isEqualTo(Claim.OWNED);
            nft("flush ruleset");
            nft("list chain inet one kept");
        }
        nft("delete table inet one");
        try (var next = open()) {
            assertThat(next.claim("one")).as("made anew").isEqualTo(Claim.OWNED);
        }
    }

    @Test
    void tablesOfOthersAndForEverybodyAreToldApart() throws Exception {
        nft("add table inet everybodys");
        try (var first = open();
                var second = open()) {
            assertThat(first.claim("firsts")).isEqualTo(Claim.OWNED);
            assertThat(second.claim("firsts")).isEqualTo(Claim.TAKEN);
            assertThat(second.claim("everybodys")).isEqualTo(Claim.SHARED);
            assertThatThrownBy(() -> second.claim(List.of("seconds", "firsts"), generation()))
                    .isInstanceOfSatisfying(
                            LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EPERM))
                    .hasMessage("NFT_MSG_NEWTABLE(inet firsts): EPERM");
            assertThatThrownBy(() -> nft("list table inet seconds"))
                    .as("all or none")
                    .isInstanceOf(Exception.class);
            assertThatThrownBy(() -> second.claim(List.of("everybodys"), generation()))
                    .hasMessage("NFT_MSG_NEWTABLE(inet everybodys): EOPNOTSUPP");
        }
    }

    @Test
    void severalAreTakenOverOnlyAsTheyWere() throws Exception {
        try (var tables = open()) {
            tables.claim("one");
            tables.claim("two");
        }
        var before = generation();
        nft("add chain inet one a");
        try (var tables = open()) {
            assertThat(tables.claim(List.of("one", "two"), before)).isFalse();
            nft("add chain inet one b");
            assertThat(tables.claim(List.of("one", "two"), before + 2))
                    .as("each of the two changes counted one")
                    .isTrue();
            assertThatThrownBy(() -> nft("delete table inet two")).hasMessageContaining("not permitted");
        }
    }

    /// A namespace lives as long as a socket in it.
    @Test
    void nothingIsLeftOpen() throws Exception {
        try (var tables = open()) {
            tables.claim("one");
            assertThat(sockets()).isEqualTo(1);
        }
        assertThat(sockets()).isZero();
    }

    /// Those of netfilter in the namespace, without the kernel's own, whose number is 0.
    private long sockets() throws IOException {
        List<String> lines = netns.call(() -> Files.readAllLines(Path.of("/proc/thread-self/net/netlink")));
        return lines.stream()
                .map(line -> line.split("\\s+"))
                .filter(columns -> columns[1].equals("12") && !columns[2].equals("0"))
                .count();
    }
}
