package dev.culvert.agent.app;

import dev.culvert.daemon.document.GeneratedSection;
import java.util.Objects;
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
}
