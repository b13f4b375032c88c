package dev.culvert.waypoint;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "dev.culvert.waypoint", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule noCycles =
            slices().matching("dev.culvert.waypoint.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule pureStaysPure = noClasses()
            .that()
            .resideInAnyPackage("..waypoint.route..", "..waypoint.policy..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.netty..", "io.grpc..", "java.net.http..", "java.nio.channels..")
            .because("decisions must be testable with values alone");

    @ArchTest
    static final ArchRule oneReaderOfTheEnvironment = noClasses()
            .should()
            .callMethodWhere(target(nameMatching("getenv|getProperty")).and(target(owner(type(System.class)))))
            .because("dev.culvert.daemon.config is the only reader");
}
