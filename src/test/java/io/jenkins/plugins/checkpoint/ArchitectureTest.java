// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The house stands as it was drawn. */
@AnalyzeClasses(packages = "io.jenkins.plugins.checkpoint", importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureTest.WithoutGenerated.class})
class ArchitectureTest {
    /** Generated messages are many and depend on nothing. */
    static final class WithoutGenerated implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("/proto/");
        }
    }

    private static final String ROOT = "io.jenkins.plugins.checkpoint.";

    @ArchTest
    static final ArchRule WORKS_WITHOUT_JENKINS = noClasses()
            .that().resideInAnyPackage(ROOT + "rpc..", ROOT + "engine..", ROOT + "image..", ROOT + "archive..", ROOT + "cli..", ROOT + "report..", ROOT + "agent..", ROOT + "junit..")
            .should().dependOnClassesThat().resideInAnyPackage("hudson..", "jenkins..", "org.kohsuke..");

    /** Steps and pages ask, in CRIU RPC, by way of {@code agent}; they neither make nor open an archive and know no engine. */
    @ArchTest
    static final ArchRule STEPS_ARE_THIN = noClasses().that().resideInAnyPackage(ROOT + "steps..", ROOT + "build..")
            .should().dependOnClassesThat(JavaClass.Predicates.resideInAnyPackage(ROOT + "rpc..", ROOT + "engine..", ROOT + "cli..")
                    .or(JavaClass.Predicates.simpleNameEndingWith("Packer")).or(JavaClass.Predicates.simpleNameEndingWith("Unpacker")));

    @ArchTest
    static final ArchRule NO_CIRCLES = slices().matching(ROOT + "(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule PROTOCOL_KNOWS_NO_ENGINE = noClasses().that().resideInAPackage(ROOT + "rpc..")
            .should().dependOnClassesThat().resideInAnyPackage(ROOT + "engine..", ROOT + "image..", ROOT + "archive..", ROOT + "cli..");
}
