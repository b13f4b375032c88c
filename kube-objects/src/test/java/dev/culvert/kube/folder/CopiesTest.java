package dev.culvert.kube.folder;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.folder.FolderSource.Where;
import dev.culvert.kube.object.Gap;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Place;
import dev.culvert.kube.object.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A process that starts over files that another one of its kind has read.
class CopiesTest {
    private static final String ONE = namespace("one");
    private static final String TWO = namespace("two");
    private static final String BROKEN = "apiVersion: v1\nkind: [broken\n";

    @TempDir
    private Path dir;

    private Path folder;
    private Path copies;

    @BeforeEach
    void makeFolder() throws IOException {
        folder = Files.createDirectory(dir.resolve("folder"));
        copies = dir.resolve("copies");
    }

    private ObjectSet start() throws IOException {
        try (var source = FolderSource.open(new Where(List.of(folder), null, copies), _ -> {})) {
            return source.current();
        }
    }

    private static List<String> keys(ObjectSet set) {
        return set.objects().keySet().stream().map(ObjectKey::toString).toList();
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private List<Path> copies() throws IOException {
        try (var tree = Files.walk(copies)) {
            return tree.filter(Files::isRegularFile).toList();
        }
    }

    private static String namespace(String name) {
        return "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + "}\n";
    }

    private static String policy(String spec) {
        return "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: deny, namespace: one}\nspec: "
                + spec + "\n";
    }

    @Test
    void aBrokenFileSaysWhatItSaidToTheFormerProcessAndThatIsTold() throws Exception {
        write("a.yaml", ONE + "---\n" + policy("{}"));
        var before = start();
        write("a.yaml", BROKEN);
        for (var starts = 0; starts < 2; starts++) {
            var after = start();
            assertThat(after.objects()).isEqualTo(before.objects());
            assertThat(after.gaps()).isEmpty();
            assertThat(after.problems())
                    .extracting(Problem::toString)
                    .satisfiesExactly(
                            syntax -> assertThat(syntax).startsWith(folder.resolve("a.yaml") + ":2: YAML syntax"),
                            stands -> assertThat(stands)
                                    .startsWith(folder.resolve("a.yaml") + ":2: 2 objects stand as read earlier")
                                    .containsPattern("without a mistake at \\d{4}-.*Z, \\d+ (s|min) before")
                                    .contains("mend the file"));
        }
        write("a.yaml", TWO);
        assertThat(keys(start())).containsExactly("Namespace two");
        assertThat(start().problems()).isEmpty();
    }

    @Test
    void ageIsCountedFromTheLastReadingWithoutAMistake() throws Exception {
        var file = write("a.yaml", ONE);
        var then = Instant.parse("2026-11-01T10:00:00Z");
        new Folder(folder, new Copies(copies, folder), () -> then).refresh(Set.of());
        write("a.yaml", BROKEN);
        for (var hours : List.of(1L, 3L)) {
            var later = new Folder(folder, new Copies(copies, folder), () -> then.plusSeconds(hours * 3600));
            later.refresh(Set.of());
            assertThat(later.files().iterator().next().problems())
                    .contains(Problem.warning(
                            new Place(file, 2),
                            "",
                            "Namespace one stands as read earlier; the file was last without a mistake at "
                                    + "2026-11-01T10:00:00Z, " + hours + " h before",
                            "mend the file"));
        }
    }

    @Test
    void aBrokenObjectStandsAndTheOthersOfItsFileChange() throws Exception {
        write("a.yaml", ONE + "---\n" + policy("{action: DENY}"));
        var policy = start().objects().values().stream().toList().getLast();
        write("a.yaml", TWO + "---\n" + policy("{acton: DENY}"));
        start();
        write("a.yaml", BROKEN); // now all of it, on top of what stands
        var after = start();
        assertThat(keys(after)).containsExactly("Namespace two", "AuthorizationPolicy one/deny");
        assertThat(after.objects().values()).contains(policy);
        assertThat(after.gaps()).isEmpty();
    }

    @Test
    void eachObjectOfAListIsKeptWithItsPlace() throws Exception {
        write("a.yaml", """
                # a comment
                ---
                apiVersion: v1
                kind: List
                items:
                - {apiVersion: v1, kind: Namespace, metadata: {name: one}}
                - {apiVersion: v1, kind: Namespace, metadata: {name: two}}
                """);
        var before = start();
        write("a.yaml", BROKEN);
        assertThat(start().objects()).isEqualTo(before.objects()).hasSize(2);
    }

    @Test
    void aFileThatWasDeletedMeanwhileIsDeleted() throws Exception {
        write("a.yaml", ONE);
        write("b.yaml", TWO);
        start();
        assertThat(copies()).hasSize(2);
        Files.delete(folder.resolve("a.yaml"));
        assertThat(keys(start())).containsExactly("Namespace two");
        assertThat(copies()).hasSize(1);
        write("a.yaml", BROKEN);
        var after = start();
        assertThat(keys(after)).containsExactly("Namespace two");
        assertThat(after.gaps()).hasSize(1);
    }

    @Test
    void aDamagedCopyIsNotUsedAndWhatNobodyKnowsIsAGap() throws Exception {
        var file = write("a.yaml", ONE);
        start();
        var copy = copies().getFirst();
        var bytes = Files.readAllBytes(copy);
        bytes[bytes.length / 2] ^= 1;
        for (var damaged : List.of(bytes, new byte[0], new byte[Copies.MAX_BYTES + 33])) {
            write("a.yaml", BROKEN);
            Files.write(copy, damaged);
            var after = start();
            assertThat(after.objects()).isEmpty();
            assertThat(after.gaps()).extracting(Gap::toString).containsExactly("what is written at " + file + ":2");
            assertThat(start().gaps()).isEqualTo(after.gaps());
            write("a.yaml", ONE);
            assertThat(start().gaps()).isEmpty();
        }
    }

    @Test
    void aCopyOfAnotherFileIsNotUsed() throws Exception {
        write("a.yaml", ONE);
        write("b.yaml", TWO);
        start();
        var both = copies();
        var first = Files.readAllBytes(both.getFirst());
        Files.write(both.getFirst(), Files.readAllBytes(both.getLast()));
        Files.write(both.getLast(), first);
        write("a.yaml", BROKEN);
        write("b.yaml", BROKEN);
        var after = start();
        assertThat(after.objects()).isEmpty();
        assertThat(after.gaps()).hasSize(2);
    }

    @Test
    void anObjectThatWasNeverReadIsAGapUntilItsFileIsMendedOrItIsGone() throws Exception {
        write("a.yaml", TWO + "---\n" + policy("{acton: DENY}"));
        for (var starts = 0; starts < 2; starts++) {
            assertThat(start().gaps())
                    .extracting(Gap::toString)
                    .containsExactly("AuthorizationPolicy one/deny at " + folder.resolve("a.yaml") + ":8");
        }
        write("a.yaml", BROKEN);
        assertThat(start().gaps())
                .hasSize(1)
                .first()
                .satisfies(gap -> assertThat(gap.key()).isPresent());
        write("a.yaml", TWO);
        assertThat(start().gaps()).isEmpty();
    }

    @Test
    void aLinkThatIsSwappedAndOneThatDangles() throws Exception {
        for (var version : List.of("v1", "v2")) {
            Files.createDirectory(folder.resolve(version));
            Files.writeString(folder.resolve(version).resolve("a.yaml"), namespace(version));
        }
        Files.createSymbolicLink(folder.resolve("..data"), Path.of("v1"));
        Files.createSymbolicLink(folder.resolve("a.yaml"), Path.of("..data/a.yaml"));
        assertThat(keys(start())).containsExactly("Namespace v1");
        Files.delete(folder.resolve("..data"));
        var dangling = start();
        assertThat(keys(dangling)).containsExactly("Namespace v1");
        assertThat(dangling.problems().toString()).contains("a.yaml:1: cannot be read", "where it links to");
        Files.createSymbolicLink(folder.resolve("..data"), Path.of("v2"));
        assertThat(keys(start())).containsExactly("Namespace v2");
    }

    @Test
    void whatIsTooLargeOrNoFileStandsAsItWas() throws Exception {
        write("a.yaml", ONE);
        write("b.yaml", TWO);
        start();
        Files.write(folder.resolve("a.yaml"), new byte[(10 << 20) + 1]);
        Files.delete(folder.resolve("b.yaml"));
        assertThat(new ProcessBuilder("mkfifo", folder.resolve("b.yaml").toString())
                        .start()
                        .waitFor())
                .isZero();
        var after = start();
        assertThat(keys(after)).containsExactly("Namespace one", "Namespace two");
        assertThat(after.problems().toString())
                .contains("a.yaml:1: is larger than 10 MiB", "b.yaml:1: cannot be read", "not a regular file");
    }

    @Test
    void copiesAreTheOwnersOnlyAndThoseOfOtherFoldersGo() throws Exception {
        write("a.yaml", ONE);
        start();
        assertThat(Files.getPosixFilePermissions(copies().getFirst()))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));
        folder = Files.createDirectory(dir.resolve("elsewhere"));
        start();
        assertThat(copies()).isEmpty();
    }

    /// An old copy would say something else than the file did.
    @Test
    void aCopyThatCannotBeReplacedIsRemovedAndWrittenLater() throws Exception {
        write("a.yaml", ONE);
        start();
        var copy = copies().getFirst();
        var inTheWay = Files.createDirectory(copy.resolveSibling(copy.getFileName() + ".new"));
        Files.createFile(inTheWay.resolve("full"));
        var kept = new Copies(copies, folder);
        var reader = new Folder(folder, kept, Instant::now);
        write("a.yaml", TWO + "---\n" + ONE);
        reader.refresh(Set.of());
        assertThat(copy).doesNotExist();
        Files.delete(inTheWay.resolve("full"));
        reader.refresh(Set.of());
        assertThat(kept.load().get(folder.resolve("a.yaml")))
                .isNotNull()
                .satisfies(said -> assertThat(said.objects()).hasSize(2));
    }
}
