// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.model.Run;
import io.jenkins.plugins.checkpoint.agent.DumpResult;
import io.jenkins.plugins.checkpoint.build.CheckpointEntry;
import io.jenkins.plugins.checkpoint.build.CheckpointsAction;
import java.io.IOException;
import java.util.List;

/** Tells the build's Checkpoints page of checkpoints. */
final class CheckpointRecords {
    private CheckpointRecords() {}

    static void add(Run<?, ?> build, String name, int number, CheckpointReason reason, String node, DumpResult result, List<String> files) throws IOException {
        CheckpointsAction.add(build, new CheckpointEntry.Builder(name, number).reason(reason == CheckpointReason.DUMP ? "asked" : reason.word())
                .time(System.currentTimeMillis()).node(node).sizes(result.imageBytes(), result.archiveBytes())
                .times(result.frozenMicros(), result.dumpMillis() + result.packMillis()).processes(result.processes())
                .artifacts(files).build());
    }

    static void remove(Run<?, ?> build, String name, int number) throws IOException {
        CheckpointsAction.remove(build, name, number);
    }
}
