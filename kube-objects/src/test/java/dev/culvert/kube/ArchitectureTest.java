package dev.culvert.kube;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "dev.culvert.kube")
class ArchitectureTest {
    @ArchTest
    static final ArchRule noCycles = slices().matching("..kube.(*)..").should().beFreeOfCycles();
}
