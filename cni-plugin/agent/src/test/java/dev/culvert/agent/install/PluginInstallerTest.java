package dev.culvert.agent.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginInstallerTest {
    private static final String LIST = "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"bridge\"}]}";

    @TempDir
    Path directory;

    private Path confDir;
    private Path binDir;
    private Path dist;

    @BeforeEach
    void build() throws Exception {
        confDir = Files.createDirectory(directory.resolve("conf"));
        binDir = directory.resolve("bin");
        dist = directory.resolve("dist");
        Files.createDirectories(dist.resolve("bin"));
        Files.createDirectories(dist.resolve("lib"));
        Files.writeString(dist.resolve("lib/a"), "one");
        Files.writeString(dist.resolve("bin/culvert-cni"), "#!/bin/sh\ndist=${0%/*}/..\ncat \"$dist/lib/a\"\n");
    }

    private PluginInstaller start(boolean removeOnExit) throws IOException {
        return start(Optional.empty(), removeOnExit);
    }

    private PluginInstaller start(Optional<String> confName, boolean removeOnExit) throws IOException {
        var entry = PluginInstaller.entry(Path.of("/run/x"), "istio-system", Set.of("kube-system"));
        return PluginInstaller.start(new PluginInstaller.Where(confDir, confName, binDir, dist, entry, removeOnExit));
    }

    /// What the container runtime reads: the first file by name.
    private String inForce() throws IOException {
        try (var files = Files.list(confDir)) {
            return Files.readString(files.filter(file -> NetworkFile.isOne(String.valueOf(file.getFileName())))
                    .min(Path::compareTo)
                    .orElseThrow());
        }
    }

    private Path conf(String name) {
        return confDir.resolve(name);
    }

    private String run() throws Exception {
        var process = new ProcessBuilder(binDir.resolve("culvert-cni").toString()).start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void firstFileByNameGetsTheEntryAndKeepsItsMode() throws Exception {
        Files.writeString(conf("20-other.conflist"), LIST);
        Files.writeString(conf("10-net.conflist"), LIST);
        Files.setPosixFilePermissions(conf("10-net.conflist"), PosixFilePermissions.fromString("rw-r-----"));
        try (var installer = start(false)) {
            await(installer::installed);
            assertThat(conf("10-net.conflist")).content().contains("culvert-cni");
            assertThat(conf("20-other.conflist")).hasContent(LIST);
            assertThat(Files.getPosixFilePermissions(conf("10-net.conflist")))
                    .isEqualTo(PosixFilePermissions.fromString("rw-r-----"));
            assertThat(run()).isEqualTo("one");
        }
        assertThat(conf("10-net.conflist")).content().contains("culvert-cni");
        assertThat(run()).as("during an upgrade it stays").isEqualTo("one");
    }

    @Test
    void waitsForAConfigurationAndForItsEnd() throws Exception {
        try (var installer = start(false)) {
            assertThat(installer.installed()).isFalse();
            Files.writeString(conf("10-net.conflist"), LIST.substring(0, 30));
            Files.writeString(conf("20-later.conflist"), LIST);
            Files.writeString(conf("10-net.conflist"), LIST);
            await(installer::installed);
            assertThat(conf("10-net.conflist")).content().contains("culvert-cni");
            assertThat(conf("20-later.conflist"))
                    .as("the first was only half written")
                    .hasContent(LIST);
        }
    }

    @Test
    void isPutBackWhenAnotherProviderRewritesTheFile() throws Exception {
        Files.writeString(conf("10-net.conflist"), LIST);
        try (var installer = start(false)) {
            await(installer::installed);
            Files.writeString(conf("10-net.conflist"), LIST);
            await(() -> Files.readString(conf("10-net.conflist")).contains("culvert-cni"));
            assertThat(installer.installed()).isTrue();
        }
    }

    /// As after a reboot: whoever writes its file first, no pod starts past the plugin.
    @Test
    void providerThatRewritesItsFileWhileNoAgentRunsTakesNothingOutOfTheMesh() throws Exception {
        Files.writeString(conf("10-net.conflist"), LIST);
        try (var installer = start(false)) {
            await(installer::installed);
        }
        Files.writeString(conf("10-net.conflist"), LIST);
        Files.writeString(conf("05-other.conflist"), LIST.replace("bridge", "ptp"));
        assertThat(inForce()).contains("culvert-cni", "bridge");
        try (var installer = start(false)) {
            await(() -> inForce().contains("ptp"));
            assertThat(inForce()).contains("culvert-cni").doesNotContain("bridge");
            await(installer::installed);
            assertThat(Files.readString(conf("05-other.conflist"))).contains("culvert-cni");
            Files.delete(conf(PluginInstaller.OWN));
            await(() -> Files.exists(conf(PluginInstaller.OWN)));
            Files.writeString(conf("05-other.conflist"), LIST.replace("bridge", "istio-cni"));
            await(() -> !Files.exists(conf(PluginInstaller.OWN)));
        }
    }

    @Test
    void fileThatSomebodyNamedIsTheOnlyOne() throws Exception {
        Files.writeString(conf("10-net.conflist"), LIST);
        try (var installer = start(Optional.of("10-net.conflist"), false)) {
            await(installer::installed);
            assertThat(conf(PluginInstaller.OWN)).doesNotExist();
        }
    }

    @Test
    void pluginThatReadsOtherFilesIsNotLedToItself() throws Exception {
        Files.writeString(conf("00-multus.conf"), "{\"name\":\"n\",\"type\":\"multus-shim\"}");
        try (var installer = start(false)) {
            await(installer::installed);
            assertThat(conf("00-multus.conflist")).content().contains("culvert-cni");
            assertThat(conf(PluginInstaller.OWN)).doesNotExist();
        }
    }

    @Test
    void singleConfigurationBecomesAList() throws Exception {
        Files.writeString(conf("10-net.conf"), "{\"name\":\"n\",\"type\":\"bridge\"}");
        try (var installer = start(false)) {
            await(installer::installed);
            assertThat(conf("10-net.conf")).doesNotExist();
            assertThat(conf("10-net.conflist")).content().contains("culvert-cni", "bridge");
        }
    }

    @Test
    void removesAllWhenAsked() throws Exception {
        Files.writeString(conf("10-net.conflist"), LIST);
        try (var installer = start(true)) {
            await(installer::installed);
        }
        assertThat(conf("10-net.conflist"))
                .content()
                .doesNotContain("culvert-cni")
                .contains("bridge");
        assertThat(conf(PluginInstaller.OWN)).doesNotExist();
        assertThat(binDir).isEmptyDirectory();
    }

    @Test
    void nextVersionReplacesTheLauncherAndKeepsWhatMayBeRunning() throws Exception {
        new PluginFiles(dist, binDir).install();
        Files.writeString(dist.resolve("lib/a"), "two");
        new PluginFiles(dist, binDir).install();
        assertThat(run()).isEqualTo("two");
        assertThat(folders()).isEqualTo(2);
        Files.writeString(dist.resolve("lib/a"), "three");
        new PluginFiles(dist, binDir).install();
        assertThat(run()).isEqualTo("three");
        assertThat(folders()).isEqualTo(2);
        Files.delete(binDir.resolve("culvert-cni"));
        new PluginFiles(dist, binDir).install();
        assertThat(run()).isEqualTo("three");
    }

    @Test
    void somethingElseThanADistributionIsRefused() throws Exception {
        Files.writeString(dist.resolve("bin/culvert-cni"), "#!/bin/sh\n");
        assertThatThrownBy(() -> start(false)).hasMessageContaining("is not a distribution of culvert-cni");
        assertThat(binDir).doesNotExist();
    }

    private long folders() throws IOException {
        try (var files = Files.list(binDir)) {
            return files.filter(Files::isDirectory).count();
        }
    }

    private static void await(Callable<Boolean> condition) throws Exception {
        var deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!condition.call()) {
            assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }
}
