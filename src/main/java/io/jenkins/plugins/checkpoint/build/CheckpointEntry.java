// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.build;

import io.jenkins.plugins.checkpoint.report.Units;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.regex.Pattern;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/** A checkpoint that a build has archived, as the build remembers it, whether its artifacts are still there or not. Persisted with the build. */
@ExportedBean(defaultVisibility = 999)
public final class CheckpointEntry implements Serializable {
    private static final long serialVersionUID = 1L;
    // What may stand in a path of artifacts and in a URL.
    private static final Pattern NAME = Pattern.compile("[^/\\\\\\p{Cntrl}]{1,255}");

    private final String name;
    private final int number;
    private final String reason;
    private final long time;
    private final String node;
    private final long imageBytes;
    private final long archiveBytes;
    private final long frozenMicros;
    private final long durationMillis;
    private final int processes;
    private final List<String> artifacts;

    private CheckpointEntry(Builder builder) {
        name = builder.name;
        number = builder.number;
        reason = builder.reason;
        time = builder.time;
        node = builder.node;
        imageBytes = builder.imageBytes;
        archiveBytes = builder.archiveBytes;
        frozenMicros = builder.frozenMicros;
        durationMillis = builder.durationMillis;
        processes = builder.processes;
        artifacts = new ArrayList<>(builder.artifacts);
    }

    /** Makes an entry; what is not set is empty or zero. */
    public static final class Builder {
        private final String name;
        private final int number;
        private String reason = "";
        private long time = System.currentTimeMillis();
        private String node = "";
        private long imageBytes;
        private long archiveBytes;
        private long frozenMicros;
        private long durationMillis;
        private int processes;
        private List<String> artifacts = List.of();

        /**
         * Begins one.
         *
         * @param name of the checkpoint
         * @param number of it, from 1 on
         * @throws IllegalArgumentException if the name cannot be one
         */
        public Builder(String name, int number) {
            if (!isName(name) || number < 1) {
                throw new IllegalArgumentException("not a checkpoint's name and number: " + name + ", " + number);
            }
            this.name = name;
            this.number = number;
        }

        /** Why it was made, in a word: {@code interval}, {@code timeout}, {@code asked}, ... */
        public Builder reason(String word) {
            reason = word;
            return this;
        }

        /** When it was made, in milliseconds since 1970; now, if not set. */
        public Builder time(long millis) {
            time = millis;
            return this;
        }

        /** Where it was made; empty for the controller's own node. */
        public Builder node(String nodeName) {
            node = nodeName == null ? "" : nodeName;
            return this;
        }

        /** How large the images are, and the archive made of them, in bytes. */
        public Builder sizes(long images, long archive) {
            imageBytes = images;
            archiveBytes = archive;
            return this;
        }

        /** How long the processes stood, in microseconds, and how long all took, in milliseconds. */
        public Builder times(long frozen, long duration) {
            frozenMicros = frozen;
            durationMillis = duration;
            return this;
        }

        /** How many processes it has. */
        public Builder processes(int count) {
            processes = count;
            return this;
        }

        /** Names of its artifacts, within {@code checkpoints/NAME/}. */
        public Builder artifacts(List<String> names) {
            artifacts = names;
            return this;
        }

        /** The entry. */
        public CheckpointEntry build() {
            return new CheckpointEntry(this);
        }
    }

    static boolean isName(String name) {
        return name != null && NAME.matcher(name).matches() && !name.equals(".") && !name.equals("..");
    }

    /** Its name. */
    @Exported
    public String getName() {
        return name;
    }

    /** Its number among those of its name in the build. */
    @Exported
    public int getNumber() {
        return number;
    }

    /** Why it was made. */
    @Exported
    public String getReason() {
        return reason == null ? "" : reason;
    }

    /** When it was made, in milliseconds since 1970. */
    @Exported
    public long getTime() {
        return time;
    }

    /** When it was made. */
    public Date getDate() {
        return new Date(time);
    }

    /** Where it was made; empty for the controller's own node. */
    @Exported
    public String getNode() {
        return node == null ? "" : node;
    }

    /** Size of the images, in bytes. */
    @Exported
    public long getImageBytes() {
        return imageBytes;
    }

    /** Size of the archive, in bytes. */
    @Exported
    public long getArchiveBytes() {
        return archiveBytes;
    }

    /** How long the processes stood, in microseconds; 0 if unknown. */
    @Exported
    public long getFrozenMicros() {
        return frozenMicros;
    }

    /** How long all took, in milliseconds. */
    @Exported
    public long getDurationMillis() {
        return durationMillis;
    }

    /** How many processes it has. */
    @Exported
    public int getProcesses() {
        return processes;
    }

    /** Paths of its artifacts. */
    @Exported
    public List<String> getArtifacts() {
        return artifacts == null ? List.of() : artifacts.stream().map(file -> "checkpoints/" + name + "/" + file).toList();
    }

    /** Size of the images, for people. */
    public String getImageSize() {
        return Units.size(imageBytes);
    }

    /** Size of the archive, for people. */
    public String getArchiveSize() {
        return Units.size(archiveBytes);
    }

    /** How long the processes stood, for people. */
    public String getFrozen() {
        return frozenMicros == 0 ? "" : Units.micros(frozenMicros);
    }

    /** How long all took, for people. */
    public String getDuration() {
        return Units.time(durationMillis * 1_000_000);
    }

    /** The reason in words. */
    public String getReasonText() {
        return switch (getReason()) {
            case "every", "interval" -> Messages.Reason_interval();
            case "checkpointDump", "asked", "dump" -> Messages.Reason_asked();
            case "self" -> Messages.Reason_self();
            case "abort" -> Messages.Reason_abort();
            case "timeout" -> Messages.Reason_timeout();
            case "failure" -> Messages.Reason_failure();
            case "agentShutdown" -> Messages.Reason_agentShutdown();
            default -> getReason();
        };
    }
}
