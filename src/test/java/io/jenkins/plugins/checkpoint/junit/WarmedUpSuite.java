// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.junit;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * A test class for a JVM of its own, which checkpoints itself: after its fixtures, and in the middle of a test. Not found by the build, for its
 * name; {@link #main} runs it, as a build tool's fork would.
 */
@ExtendWith(CheckpointExtension.class)
@TestMethodOrder(MethodOrderer.MethodName.class)
public class WarmedUpSuite {
    private static final AtomicLong TICKS = new AtomicLong();

    @BeforeAll
    @CheckpointAfter(value = "warm", required = true)
    static void load() {
        Checkpoints.onRestore(label -> System.out.println("restored " + label));
        for (int i = 0; i < 10; i++) {
            Thread thread = new Thread(WarmedUpSuite::tick);
            thread.setDaemon(true);
            thread.start();
        }
        System.out.println("fixtures loaded");
    }

    private static void tick() {
        try {
            while (true) {
                TICKS.incrementAndGet();
                Thread.sleep(1);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // The other threads have to be alive, in the process and in each copy.
    private static void awaitTicks() throws InterruptedException {
        for (long then = TICKS.get(); TICKS.get() < then + 50;) {
            Thread.sleep(5);
        }
    }

    @Test
    void aFirst() throws InterruptedException {
        CheckpointOutcome outcome = Checkpoints.now("in a test");
        awaitTicks();
        System.out.println("first: " + outcome);
    }

    @Test
    void zLast() throws InterruptedException {
        awaitTicks();
        System.out.println("last: ok");
    }

    /** Runs the class. */
    public static void main(String[] arguments) {
        LauncherFactory.create().execute(LauncherDiscoveryRequestBuilder.request().selectors(selectClass(WarmedUpSuite.class)).build());
    }
}
