package dev.culvert.cli;

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

@AnalyzeClasses(packages = "dev.culvert.cli", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule noCycles = slices().matching("..cli.(*)..").should().beFreeOfCycles();

    /// But: CULVERT_ROOT from the launcher (`DemoCommand`, `LocalMesh`), CULVERT_ZTUNNEL (`Programs`), PATH for
    /// pods (`RunningPod`), POD_NAME in a pod (`Serve`).
    @ArchTest
    static final ArchRule oneReaderOfTheEnvironment = noClasses()
            .that()
            .haveNameNotMatching(".*\\.(DemoCommand|LocalMesh|Programs|RunningPod|Serve)")
            .should()
            .callMethodWhere(target(nameMatching("getenv|getProperty")).and(target(owner(type(System.class)))))
            .because("dev.culvert.daemon.config is the only reader");
}
