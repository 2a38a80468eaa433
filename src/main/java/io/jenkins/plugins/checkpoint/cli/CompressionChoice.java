// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.archive.Compression;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The option that says how an archive is compressed. */
final class CompressionChoice {
    private Compression chosen = Compression.DEFAULT;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(names = "--compression", paramLabel = "HOW",
            description = "zstd, zstd:LEVEL (-7 to 19), lz4 (faster, larger) or none (default: zstd, which is level 1)")
    void choose(String text) {
        try {
            chosen = Compression.parse(text);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), e.getMessage());
        }
    }

    Compression chosen() {
        return chosen;
    }
}
