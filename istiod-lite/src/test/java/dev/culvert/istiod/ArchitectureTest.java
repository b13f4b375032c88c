package dev.culvert.istiod;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "dev.culvert.istiod")
class ArchitectureTest {
    @ArchTest
    static final ArchRule pureStaysPure = noClasses()
            .that()
            .resideInAnyPackage("..istiod.ambient..", "..istiod.waypoint..", "..istiod.grpc..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.netty..", "io.grpc..", "java.net.http..", "java.nio.channels..")
            .because("decisions must be testable with values alone");

    @ArchTest
    static final ArchRule noCycles =
            slices().matching("..istiod.(*)..").should().beFreeOfCycles();
}
