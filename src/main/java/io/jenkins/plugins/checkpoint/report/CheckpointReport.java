// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.report;

import io.jenkins.plugins.checkpoint.archive.Manifest;
import io.jenkins.plugins.checkpoint.image.Checkpoint;
import java.util.ArrayList;
import java.util.List;

/** A report on one checkpoint: a single HTML file that needs nothing else, no network and no script. */
public final class CheckpointReport {
    private final String title;
    private final Checkpoint checkpoint;
    private final Manifest manifest;
    private final long archived;

    /**
     * Makes a report.
     *
     * @param title what the checkpoint is called
     * @param checkpoint a summary: what it holds is shown, all of it
     * @param manifest of the archive; null for a bare images directory
     * @param archived bytes of the archive; negative if there is none
     */
    public CheckpointReport(String title, Checkpoint checkpoint, Manifest manifest, long archived) {
        this.title = title;
        this.checkpoint = checkpoint;
        this.manifest = manifest;
        this.archived = archived;
    }

    /**
     * Writes it.
     *
     * @return HTML
     */
    public String html() {
        ReportSections sections = new ReportSections(checkpoint);
        List<String> about = new ArrayList<>();
        if (manifest != null) {
            about.add("Packed " + manifest.created().replace('T', ' ').replace("Z", " UTC"));
            about.add("kernel " + manifest.host().kernel() + ", " + manifest.host().architecture());
            if (!manifest.host().cpu().isEmpty()) {
                about.add(manifest.host().cpu());
            }
        }
        ReportPage page = new ReportPage("Checkpoint " + title, String.join(" · ", about));
        page.lead(sections.figures(manifest == null ? -1 : manifest.bytes(), archived));
        page.section("processes", "Processes", sections.processes());
        page.section("memory", "Memory", sections.memory());
        page.section("connections", "Connections", sections.connections());
        page.section("descriptors", "Descriptors", sections.descriptors());
        page.section("needs", "Needed to restore", sections.needs(manifest == null ? List.of() : hostNeeds(manifest.host())));
        page.section("timings", "Timings", sections.timings());
        return page.html("Command lines are shown with what looks like a secret masked; the images hold them, and all memory, as they were.");
    }

    /**
     * What a restore needs of the machine.
     *
     * @param host where the checkpoint was packed
     * @return sentences
     */
    public static List<String> hostNeeds(Manifest.Host host) {
        List<String> needs = new ArrayList<>();
        needs.add("Linux on " + host.architecture() + " whose vDSO is that of kernel " + host.kernel() + ", as it is on the same kernel");
        if (!host.cpuFeatures().isEmpty()) {
            needs.add("a CPU with " + String.join(" ", host.cpuFeatures()));
        }
        return needs;
    }
}
