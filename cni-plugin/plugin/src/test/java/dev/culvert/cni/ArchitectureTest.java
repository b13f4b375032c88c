package dev.culvert.cni;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "dev.culvert.cni", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule nothingButItselfAndJson = classes()
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("java..", "dev.culvert.cni", "dev.culvert.json", "org.jspecify..")
            .because("start-up time is its interface");

    @ArchTest
    static final ArchRule noRegularExpressions = classes()
            .should()
            .onlyDependOnClassesThat()
            .resideOutsideOfPackage("java.util.regex")
            .because("they cost milliseconds at the start");
}
