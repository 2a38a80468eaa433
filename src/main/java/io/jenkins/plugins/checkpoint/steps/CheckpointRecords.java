// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.model.Run;
import io.jenkins.plugins.checkpoint.agent.DumpResult;
import java.io.IOException;
import java.util.List;

/** Tells the build's Checkpoints page of checkpoints. */
final class CheckpointRecords {
    private CheckpointRecords() {}

    static void add(Run<?, ?> build, String name, int number, CheckpointReason reason, String node, DumpResult result, List<String> files) throws IOException {
    }

    static void remove(Run<?, ?> build, String name, int number) throws IOException {
    }
}
