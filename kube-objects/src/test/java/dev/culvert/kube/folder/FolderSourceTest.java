package dev.culvert.kube.folder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.kube.folder.FolderSource.Where;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderSourceTest {
    @TempDir
    private Path dir;

    private Path user;
    private Path objects;
    private Path redirection;
    private @Nullable FolderSource source;
    private final BlockingQueue<ObjectSet> seen = new LinkedBlockingQueue<>();

    @BeforeEach
    void makeFolders() throws IOException {
        user = Files.createDirectory(dir.resolve("user"));
        objects = Files.createDirectory(dir.resolve("written-by-the-cluster"));
        redirection = Files.createDirectory(dir.resolve("redirection"));
    }

    @AfterEach
    void stop() throws IOException {
        if (source != null) {
            source.close();
        }
    }

    private ObjectSet current() {
        return Objects.requireNonNull(source).current();
    }

    private Where where() {
        return new Where(List.of(user, objects), redirection, null);
    }

    private void open() throws IOException {
        source = FolderSource.open(where(), seen::add);
    }

    @Test
    void changesAreSeenHoweverTheyAreMade() throws Exception {
        write(user, "a.yaml", namespace("one"));
        open();
        awaitKeys("Namespace one");

        write(user, "a.yaml", namespace("one") + "---\n" + namespace("two"));
        awaitKeys("Namespace one", "Namespace two");

        Files.writeString(user.resolve(".a.yaml.swp"), namespace("three"));
        Files.move(user.resolve(".a.yaml.swp"), user.resolve("a.yaml"), StandardCopyOption.ATOMIC_MOVE);
        awaitKeys("Namespace three");

        Files.move(user.resolve("a.yaml"), user.resolve("b.yml"));
        Files.writeString(user.resolve("readme.txt"), "no object");
        write(user, "c.yaml", namespace("four"));
        awaitKeys("Namespace four", "Namespace three");

        Files.delete(user.resolve("b.yml"));
        awaitKeys("Namespace four");
    }

    @Test
    void aHalfWrittenFileKeepsWhatItSaidBefore() throws Exception {
        write(user, "a.yaml", namespace("one") + "---\n" + policy("deny-all", "{}"));
        write(user, "b.yaml", namespace("two"));
        open();
        awaitKeys("Namespace one", "Namespace two", "AuthorizationPolicy shop/deny-all");

        write(user, "a.yaml", namespace("one") + "---\napiVersion: v1\nkind: [");
        var broken = await(set -> !set.problems().isEmpty());
        assertThat(keys(broken)).containsExactly("Namespace one", "Namespace two", "AuthorizationPolicy shop/deny-all");
        assertThat(broken.problems().getFirst().place()).hasToString(user.resolve("a.yaml") + ":7");

        write(user, "a.yaml", namespace("one") + "---\n" + policy("deny-all", "{acton: DENY}"));
        var misspelt = await(set -> set.problems().toString().contains("did you mean action?"));
        assertThat(keys(misspelt)).contains("AuthorizationPolicy shop/deny-all");

        write(user, "a.yaml", namespace("one"));
        awaitKeys("Namespace one", "Namespace two");
        assertThat(current().problems()).isEmpty();
    }

    @Test
    void duplicatesAreNamedWithBothPlacesAndTheFirstStays() throws Exception {
        write(user, "a.yaml", namespace("one") + "---\n" + pod("p", "u1", "198.18.65.2"));
        write(user, "b.yaml", namespace("one") + "---\n" + pod("q", "u2", "198.18.65.2") + "---\n" + namespace("ok"));
        open();
        assertThat(keys(current())).containsExactly("Namespace ok", "Namespace one", "Pod shop/p");
        assertThat(current().problems())
                .extracting(Problem::toString)
                .satisfiesExactly(
                        twice -> assertThat(twice)
                                .startsWith(user.resolve("b.yaml") + ":1: Namespace one: is written twice, first at "
                                        + user.resolve("a.yaml") + ":1"),
                        sameIp -> assertThat(sameIp)
                                .startsWith(
                                        user.resolve("b.yaml") + ":5: Pod shop/q: duplicate IP 198.18.65.2, already of "
                                                + "Pod shop/p at " + user.resolve("a.yaml") + ":5")
                                .contains("give it an address of its own"));
    }

    @Test
    void anAddressThatTheClusterGaveIsNotTakenByAUsersFile() throws Exception {
        write(user, "a.yaml", pod("twin", "u1", "198.18.65.2"));
        write(objects, "p.yaml", pod("p", "u2", "198.18.65.2"));
        open();
        assertThat(keys(current())).containsExactly("Pod shop/p");
        assertThat(current().problems())
                .singleElement()
                .asString()
                .startsWith(user.resolve("a.yaml") + ":1: Pod shop/twin: duplicate IP 198.18.65.2");
    }

    @Test
    void laterFoldersReplaceAndRedirectionIsOverlaid() throws Exception {
        write(user, "a.yaml", pod("p", "u1", "198.18.65.2"));
        write(objects, "p.yaml", pod("p", "u1", "198.18.65.3"));
        open();
        assertThat(current().problems()).isEmpty();
        assertThat(current().pods().getFirst().addresses().toString()).contains("198.18.65.3");

        Files.writeString(redirection.resolve("u1"), "enabled\n");
        await(set -> set.pods()
                .getFirst()
                .metadata()
                .annotation(Folders.REDIRECTION)
                .filter("enabled"::equals)
                .isPresent());
        Files.delete(redirection.resolve("u1"));
        await(set -> set.pods().getFirst().metadata().annotations().isEmpty());
    }

    @Test
    void aFolderThatVanishesKeepsItsObjectsUntilItIsBack() throws Exception {
        write(user, "a.yaml", namespace("one"));
        open();
        awaitKeys("Namespace one");
        Files.move(user, dir.resolve("aside"));
        Files.createDirectory(user);
        write(user, "a.yaml", namespace("two"));
        // The watch still follows the folder that was moved away; removing it tells.
        Files.delete(dir.resolve("aside/a.yaml"));
        Files.delete(dir.resolve("aside"));
        awaitKeys("Namespace two");
    }

    @Test
    void limitsAndMissingFoldersAreNamed() throws Exception {
        Files.write(user.resolve("big.yaml"), new byte[(10 << 20) + 1]);
        Files.write(user.resolve("binary.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        open();
        assertThat(current().problems().toString())
                .contains("big.yaml:1: is larger than 10 MiB (spread it over several files)")
                .contains("binary.yaml:1: is not UTF-8 text");
        assertThatThrownBy(() -> FolderSource.open(new Where(List.of(dir.resolve("none")), null, null), _ -> {}))
                .isInstanceOf(NotDirectoryException.class)
                .hasMessageContaining("none");
    }

    private void awaitKeys(String... keys) throws InterruptedException {
        await(set -> keys(set).equals(List.of(keys)));
    }

    private ObjectSet await(Predicate<ObjectSet> wanted) throws InterruptedException {
        var deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        for (var set = seen.poll(60, TimeUnit.SECONDS); set != null; ) {
            if (wanted.test(set)) {
                return set;
            }
            set = seen.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        }
        throw new AssertionError("not seen; last: " + current());
    }

    private static List<String> keys(ObjectSet set) {
        return set.objects().keySet().stream().map(ObjectKey::toString).toList();
    }

    private static void write(Path folder, String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text);
    }

    private static String namespace(String name) {
        return "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + "}\n";
    }

    private static String policy(String name, String spec) {
        return "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: " + name
                + ", namespace: shop}\nspec: " + spec + "\n";
    }

    private static String pod(String name, String uid, String ip) {
        return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", namespace: shop, uid: " + uid
                + "}\nspec: {containers: [{name: main}]}\nstatus: {phase: Running, podIP: " + ip + "}\n";
    }
}
