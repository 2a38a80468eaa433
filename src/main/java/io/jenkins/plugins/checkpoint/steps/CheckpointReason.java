// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Why a checkpoint is made. */
enum CheckpointReason {
    /** The interval is over. */
    EVERY("every"),
    /** A {@code checkpointDump} step. */
    DUMP("checkpointDump"),
    /** Somebody stops the build. */
    ABORT("abort"),
    /** A time limit stops the build. */
    TIMEOUT("timeout"),
    /** The script failed. */
    FAILURE("failure"),
    /** The agent goes away. */
    AGENT_SHUTDOWN("agentShutdown");

    private final String word;

    CheckpointReason(String word) {
        this.word = word;
    }

    /** As pipelines write it. */
    String word() {
        return word;
    }

    /** The reasons that {@code on} takes. */
    static List<String> events() {
        return Stream.of(ABORT, TIMEOUT, FAILURE, AGENT_SHUTDOWN).map(CheckpointReason::word).toList();
    }

    /** The reason of that word. */
    static Optional<CheckpointReason> of(String word) {
        return Stream.of(values()).filter(reason -> reason.word.equals(word)).findFirst();
    }
}
