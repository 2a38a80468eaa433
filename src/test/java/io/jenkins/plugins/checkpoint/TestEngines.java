// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.checkpoint.engine.Engines;
import io.jenkins.plugins.checkpoint.rpc.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Engines that tests work with; a test that needs one that is not there is skipped, with the reason. */
public enum TestEngines {
    /** Our own, from the jar. */
    EMBEDDED,
    /** A real CRIU 4, named by the environment variable or system property PCR_REAL_CRIU. */
    REAL_CRIU;

    /** The engine, if it can do real work here. */
    public Engine orSkip() throws IOException {
        assumeTrue(isRoot(), "dumping and restoring need root here");
        if (this == EMBEDDED) {
            assumeTrue(Engines.hasEmbedded(), "built without native/: no embedded engine");
            return Engines.embedded();
        }
        String path = System.getProperty("PCR_REAL_CRIU", System.getenv("PCR_REAL_CRIU"));
        assumeTrue(path != null && !path.isEmpty(), "PCR_REAL_CRIU does not name a real CRIU");
        return Engines.criu(Path.of(path));
    }

    /** Whether the tests run as root. */
    public static boolean isRoot() throws IOException {
        return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
    }
}
