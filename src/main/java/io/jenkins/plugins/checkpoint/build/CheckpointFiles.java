// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.build;

import hudson.model.Run;
import io.jenkins.plugins.checkpoint.archive.ArchiveException;
import io.jenkins.plugins.checkpoint.archive.Manifest;
import io.jenkins.plugins.checkpoint.image.Checkpoint;
import io.jenkins.plugins.checkpoint.image.CheckpointJson;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import jenkins.util.VirtualFile;

/**
 * A checkpoint's artifacts, wherever the build's artifact manager keeps them. Their paths follow from name and number; nothing that an agent
 * wrote names a file.
 */
final class CheckpointFiles {
    private final Run<?, ?> run;
    private final CheckpointEntry entry;

    /** What {@code N.json} holds. */
    record Contents(Manifest manifest, Checkpoint summary) {}

    CheckpointFiles(Run<?, ?> run, CheckpointEntry entry) {
        this.run = run;
        this.entry = entry;
    }

    /** One of the artifacts, by what its name ends with: {@code .json}, {@code .tar.zst}, {@code .dump.log}. */
    VirtualFile file(String suffix) {
        return run.getArtifactManager().root().child("checkpoints").child(entry.getName()).child(entry.getNumber() + suffix);
    }

    /** Whether the archive is there. */
    boolean hasArchive() {
        try {
            return file(".tar.zst").isFile();
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Reads what the archive says of itself.
     *
     * @return manifest and summary
     * @throws IOException if it is not there, is too large, or not well formed; the message is for people
     */
    Contents read() throws IOException {
        VirtualFile file = file(".json");
        if (!file.isFile()) {
            throw new IOException(Messages.Files_Gone());
        }
        byte[] bytes;
        try (InputStream in = file.open()) {
            bytes = in.readNBytes(Manifest.MAX_SIZE + 1);
        }
        if (bytes.length > Manifest.MAX_SIZE) {
            throw new IOException(Messages.Files_TooLarge(file.getName()));
        }
        try {
            String text = new String(bytes, StandardCharsets.UTF_8);
            Manifest manifest = Manifest.parse(text);
            if (manifest.summary().isEmpty()) {
                throw new IOException(Messages.Files_NoSummary());
            }
            return new Contents(manifest, CheckpointJson.read(manifest.summary()));
        } catch (ArchiveException | IllegalArgumentException e) {
            throw new IOException(Messages.Files_Damaged(file.getName(), e.getMessage()), e);
        }
    }
}
