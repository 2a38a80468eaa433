// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli.demo;

import io.jenkins.plugins.checkpoint.cli.EngineChoice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code demo}: shows the whole way on a real process. */
@Command(name = "demo", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Dumps a running test over CRIU RPC, archives it, kills it, restores it from the archive, and checks that it went on where it stood.",
        footer = {"", "Exit status: 0 if the run's record has no gap and no repeat. Needs python3."})
public final class DemoCommand implements Callable<Integer> {
    @Option(names = "--keep", description = "keep the working directory: images, archive, logs, the run's record")
    private boolean keep;

    @Mixin
    private EngineChoice engine;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("process-checkpoint-demo-");
        Demo demo = new Demo(engine.engine(), directory, System.out);
        // Also when interrupted: no process and no file is left behind.
        Thread cleaner = new Thread(() -> clean(demo, directory));
        Runtime.getRuntime().addShutdownHook(cleaner);
        System.out.println("A test run is dumped, archived, killed and brought back, in " + directory + (keep ? ", which is kept." : "."));
        System.out.println();
        try {
            return demo.play() ? 0 : 1;
        } catch (IOException e) {
            System.out.println();
            System.out.println("FAILED: " + e.getMessage() + (keep ? "" : " (with --keep, the engine's logs stay for a look)"));
            return 1;
        }
    }

    private void clean(Demo demo, Path directory) {
        try {
            demo.close();
            if (keep) {
                return;
            }
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            System.err.println("demo: " + directory + " is not quite removed: " + e.getMessage());
        }
    }
}
