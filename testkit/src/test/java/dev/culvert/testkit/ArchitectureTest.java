package dev.culvert.testkit;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "dev.culvert.testkit", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule noCycles =
            slices().matching("..testkit.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule simulationNeedsNoRights = noClasses()
            .that()
            .resideInAPackage("..testkit.sim..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("..testkit.netns..", "io.netty.channel.epoll..", "java.nio.channels.spi..")
            .because("IN_PROCESS runs everywhere");
}
