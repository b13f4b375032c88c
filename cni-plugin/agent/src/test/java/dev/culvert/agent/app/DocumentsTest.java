package dev.culvert.agent.app;

import dev.culvert.agent.rules.Capture;
import dev.culvert.agent.rules.InPodRules;
import dev.culvert.agent.rules.Probes;
import dev.culvert.daemon.document.GeneratedSection;
import java.net.InetAddress;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/// The documents say what the code does.
class DocumentsTest {
    @Test
    void options() throws Exception {
        var table = new StringBuilder("| option | default | |\n|---|---|---|\n");
        for (var option : new CommandLine(new AgentProgram()).getCommandSpec().options()) {
            table.append("| `").append(option.longestName()).append("` | ");
            table.append(GeneratedSection.code(Objects.requireNonNullElse(option.defaultValue(), "")));
            table.append(" | ")
                    .append(GeneratedSection.cell(String.join(" ", option.description())))
                    .append(" |\n");
        }
        GeneratedSection.check("configuration.md", "culvert-cni-agent", table.toString());
    }

    private static final Pattern RULE =
            Pattern.compile("add rule inet (\\S+) ((?:istio|culvert)-\\S+) (.*?) ?counter (.*) comment \"(.+)\"");

    private static final Probes PROBES = new Probes.Direct(
            Set.of(8080), Set.of(InetAddress.ofLiteral("198.18.65.1"), InetAddress.ofLiteral("2001:2:0:41::1")));

    /// Every rule in a pod that is probed on port 8080, in order, name lookups captured too.
    @Test
    void rules() throws Exception {
        var table = new StringBuilder("| table | chain | what matches | what happens | why |\n|---|---|---|---|---|\n");
        InPodRules.enrolled(new Capture(true, true).with(PROBES))
                .lines()
                .map(RULE::matcher)
                .filter(Matcher::matches)
                .forEach(rule -> {
                    table.append("| ")
                            .append(rule.group(1))
                            .append(" | ")
                            .append(rule.group(2))
                            .append(" | ");
                    table.append(GeneratedSection.code(rule.group(3))).append(" | ");
                    table.append(GeneratedSection.code(rule.group(4))).append(" | ");
                    table.append(GeneratedSection.cell(rule.group(5))).append(" |\n");
                });
        GeneratedSection.check("redirection.md", "rules in a pod", table.toString());
    }
}
