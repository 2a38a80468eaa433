// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import static com.lesfurets.jenkins.unit.MethodSignature.method;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.lesfurets.jenkins.unit.BasePipelineTest;
import groovy.lang.Closure;
import hudson.AbortException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Runs the pipelines that README, docs/ and examples/ show, and this project's own, against the real step classes. */
class PipelinesTest {
    private static final Pattern BLOCK = Pattern.compile("```groovy\\n(.*?)```", Pattern.DOTALL);

    @TempDir
    private Path temporary;

    /** A build: knows the steps of Jenkins that are used, and ours by their classes. */
    private static final class Build extends BasePipelineTest {
        private final List<String> ran = new ArrayList<>();
        // How many machines are taken away before one stays.
        private int losses;

        Build() throws Exception {
            setUp();
            for (String name : List.of("node", "ws", "stage", "label")) {
                getHelper().registerAllowedMethod(method(name, String.class, Closure.class), body(1));
            }
            for (String name : List.of("pipeline", "stages", "steps", "agent", "waitUntil", "withCheckpointService")) {
                getHelper().registerAllowedMethod(method(name, Closure.class), body(0));
            }
            getHelper().registerAllowedMethod(method("timeout", Map.class, Closure.class), body(1));
            getHelper().registerAllowedMethod(method("label", String.class), (Function<Object, Object>) given -> null);
            getHelper().registerAllowedMethod(method("fileExists", String.class), (Function<Object, Object>) given -> true);
            getHelper().registerAllowedMethod(method("writeFile", Map.class), (Function<Object, Object>) given -> null);
            getHelper().registerAllowedMethod(method("deleteDir"), (Function<Object, Object>) given -> null);
            getHelper().registerAllowedMethod(method("parallel", Map.class), (Function<Object, Object>) given -> {
                    Object[] arguments = array(given);
                ((Map<?, ?>) arguments[0]).values().forEach(branch -> ((Closure<?>) branch).call());
                return null;
            });
            step("checkpointRun", CheckpointRunStep.class);
            step("checkpointRestore", CheckpointRestoreStep.class);
            step("checkpointDump", CheckpointDumpStep.class);
            getBinding().setVariable("scm", Map.of());
        }

        // A single argument comes as it is.
        private static Object[] array(Object given) {
            return given instanceof Object[] several ? several : new Object[] {given};
        }

        private static Function<Object, Object> body(int position) {
            return given -> {
                Closure<?> closure = (Closure<?>) array(given)[position];
                closure.setResolveStrategy(Closure.DELEGATE_FIRST);
                return closure.call();
            };
        }

        private <T extends CheckpointStep> void step(String name, Class<T> type) {
            getHelper().registerAllowedMethod(method(name, Map.class), (Function<Object, Object>) given -> {
                    Object[] arguments = array(given);
                @SuppressWarnings("unchecked")
                Map<String, Object> named = (Map<String, Object>) arguments[0];
                try {
                    T step = StepArguments.bind(type, named);
                    step.options.validate();
                    ran.add(name + " " + step.options.name);
                    if (losses > 0) {
                        losses--;
                        throw sneaky(new AbortException("the agent went away"));
                    }
                    return step.options.returnStatus ? 0 : null;
                } catch (ReflectiveOperationException e) {
                    throw new IllegalArgumentException(name + ": " + e, e);
                }
            });
        }

        // Groovy does not care for checked exceptions, and Function may not throw them.
        @SuppressWarnings("unchecked")
        private static <E extends Throwable> RuntimeException sneaky(Throwable failure) throws E {
            throw (E) failure;
        }

        void run(Path script) {
            setScriptRoots(script.getParent().toString());
            runScript(script.toString());
        }
    }

    @TestFactory
    Stream<DynamicTest> shownPipelinesRun() throws IOException {
        List<Path> scripts = new ArrayList<>();
        try (Stream<Path> examples = Files.list(Path.of("examples/pipelines"))) {
            examples.sorted().forEach(scripts::add);
        }
        scripts.add(Path.of("Jenkinsfile"));
        for (Path text : List.of(Path.of("README.md"), Path.of("docs/jenkins.md"))) {
            Matcher blocks = BLOCK.matcher(Files.readString(text));
            for (int number = 1; blocks.find(); number++) {
                Path script = temporary.resolve(text.getFileName() + "-" + number + ".groovy");
                Files.writeString(script, blocks.group(1));
                scripts.add(script);
            }
        }
        assertThat(scripts).hasSizeGreaterThan(7);
        return scripts.stream().map(script -> dynamicTest(script.getFileName().toString(), () -> {
            Build build = new Build();
            build.run(script.toAbsolutePath());
            build.assertJobStatusSuccess();
            assertThat(build.ran.isEmpty()).isEqualTo(!Files.readString(script).matches("(?s).*checkpoint(Run|Restore|Dump)\\b.*"));
        }));
    }

    @Test
    void theSoakTestGoesOnOnAnotherMachine() throws Exception {
        Build build = new Build();
        build.losses = 2;
        build.run(Path.of("examples/pipelines/spot-agent.Jenkinsfile").toAbsolutePath());
        assertThat(build.ran).containsExactly("checkpointRun soak", "checkpointRestore soak", "checkpointRestore soak");
    }

    @Test
    void everyRpcOptionIsAnOptionWithHelp() {
        Set<String> missing = new TreeSet<>();
        for (String name : io.jenkins.plugins.checkpoint.agent.RpcOptions.names()) {
            for (Class<?> type : List.of(CheckpointRunStep.class, CheckpointRestoreStep.class, CheckpointDumpStep.class, CheckpointRunBuilder.class,
                    CheckpointRestoreBuilder.class, CheckpointDumpBuilder.class)) {
                try {
                    StepArguments.setter(type, name);
                } catch (IllegalArgumentException e) {
                    missing.add(e.getMessage());
                }
            }
            if (CheckpointStep.class.getResource("CheckpointStep/help-" + name + ".html") == null) {
                missing.add("help for " + name);
            }
        }
        assertThat(missing).isEmpty();
    }
}
