package dev.culvert.cli.install;

import dev.culvert.cli.install.Revisions.Tag;
import dev.culvert.cli.view.Table;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `culvert tag`, with `istioctl tag`'s words.
@Command(
        name = "tag",
        mixinStandardHelpOptions = true,
        description = {
            "Names for revisions of the controller, for use in the label istio.io/rev.",
            "The tag 'default' says which revision has what carries no label."
        })
public final class TagCommand {
    private static final Pattern NAME = Pattern.compile("[a-z0-9]([-a-z0-9]{0,54}[a-z0-9])?");

    @Mixin
    ClusterOptions cluster = new ClusterOptions();

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Command(mixinStandardHelpOptions = true, description = "Makes a tag, or moves it to another revision.")
    int set(
            @Parameters(paramLabel = "TAG", description = "Such as prod.") String tag,
            @Option(
                            names = {"-r", "--revision"},
                            paramLabel = "REV",
                            required = true,
                            description = "What it stands for.")
                    String revision,
            @Option(names = "--overwrite", description = "Also if it stands for another now.") boolean overwrite)
            throws IOException {
        if (!NAME.matcher(tag).matches()) {
            throw new IOException("'%s' is no name of a tag; write lower-case letters, digits and -".formatted(tag));
        }
        try (var client = cluster.client()) {
            var revisions = new Revisions(new Cluster(client), cluster.namespace);
            requireInstalled(revisions.installed(), tag, revision);
            var before = find(revisions, tag);
            if (before.isPresent() && !before.get().isOurs()) {
                throw notOurs(before.get());
            }
            if (before.filter(there -> !there.revision().equals(revision)).isPresent() && !overwrite) {
                throw new IOException(
                        "tag %s stands for revision %s; --overwrite moves it to %s, and with it all that it names"
                                .formatted(tag, before.get().revision(), revision));
            }
            revisions.set(tag, revision);
        }
        say("✅ tag " + tag + " stands for revision " + revision);
        return 0;
    }

    private void requireInstalled(List<String> installed, String tag, String revision) throws IOException {
        if (!installed.contains(revision)) {
            throw new IOException(
                    "no controller of revision %s is installed in %s; there %s. 'culvert install --revision %1$s' installs one"
                            .formatted(
                                    revision,
                                    cluster.namespace,
                                    installed.isEmpty() ? "is none" : "are: " + String.join(", ", installed)));
        }
        if (installed.contains(tag) && !tag.equals(Revisions.DEFAULT)) {
            throw new IOException(
                    "there is a revision of the name %s, which a tag would hide; choose another name".formatted(tag));
        }
    }

    private static Optional<Tag> find(Revisions revisions, String tag) throws IOException {
        return revisions.tags().stream().filter(one -> one.name().equals(tag)).findFirst();
    }

    private static IOException notOurs(Tag tag) {
        return new IOException(
                "tag %s is somebody else's, probably Istio's: %s. Change it by 'istioctl tag', or remove that object"
                        .formatted(tag.name(), tag.object()));
    }

    @Command(mixinStandardHelpOptions = true, description = "Shows tags, and the namespaces that name them.")
    int list() throws IOException {
        try (var client = cluster.client()) {
            var revisions = new Revisions(new Cluster(client), cluster.namespace);
            var namespaces = revisions.namespaces();
            var rows = new ArrayList<List<String>>();
            for (var tag : revisions.tags()) {
                rows.add(List.of(
                        tag.name(), tag.revision(), String.join(",", namespaces.getOrDefault(tag.name(), List.of()))));
            }
            var out = spec.commandLine().getOut();
            out.print(rows.isEmpty() ? "No tags.\n" : new Table(List.of("TAG", "REVISION", "NAMESPACES"), rows).text());
            out.flush();
        }
        return 0;
    }

    @Command(mixinStandardHelpOptions = true, description = "Removes a tag.")
    int remove(
            @Parameters(paramLabel = "TAG", description = "Its name.") String tag,
            @Option(
                            names = {"-y", "--skip-confirmation"},
                            description = "Also if namespaces name it: they are nobody's then.")
                    boolean sure)
            throws IOException {
        try (var client = cluster.client()) {
            var revisions = new Revisions(new Cluster(client), cluster.namespace);
            var found = find(revisions, tag).orElseThrow(() -> new IOException("there is no tag " + tag));
            if (!found.isOurs()) {
                throw notOurs(found);
            }
            var users = revisions.namespaces().getOrDefault(tag, List.of());
            if (!users.isEmpty() && !sure) {
                throw new IOException(
                        "namespaces name tag %s in their label %s, and would be no controller's: %s. Label them anew first, or give --skip-confirmation"
                                .formatted(tag, Revisions.LABEL, String.join(", ", users)));
            }
            revisions.remove(tag);
        }
        say("✅ tag " + tag + " is removed");
        return 0;
    }

    private void say(String text) {
        spec.commandLine().getOut().println(text);
        spec.commandLine().getOut().flush();
    }
}
