// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.build;

import hudson.model.ModelObject;
import hudson.model.Run;
import io.jenkins.plugins.checkpoint.image.CheckpointDiff;
import io.jenkins.plugins.checkpoint.report.DiffReport;
import java.io.IOException;
import jenkins.security.stapler.StaplerAccessibleType;

/** The page that shows the difference between two checkpoints of a build. */
@StaplerAccessibleType
public final class DiffPage implements ModelObject {
    private final CheckpointsAction action;
    private final CheckpointPage from;
    private final CheckpointPage to;
    private DiffReport report;
    private String problem;

    DiffPage(CheckpointsAction action, String from, String to) {
        this.action = action;
        this.from = find(from);
        this.to = find(to);
    }

    private CheckpointPage find(String reference) {
        int slash = reference == null ? -1 : reference.lastIndexOf('/');
        if (slash < 0 || !reference.substring(slash + 1).matches("[1-9][0-9]{0,8}")) {
            return null;
        }
        return action.find(reference.substring(0, slash), Integer.parseInt(reference.substring(slash + 1)));
    }

    @Override
    public String getDisplayName() {
        return Messages.DiffPage_DisplayName();
    }

    /** The build. */
    public Run<?, ?> getRun() {
        return action.getRun();
    }

    /** The earlier checkpoint; null if there is no such one. */
    public CheckpointPage getFrom() {
        return from;
    }

    /** The later checkpoint; null if there is no such one. */
    public CheckpointPage getTo() {
        return to;
    }

    private void load() {
        if (report != null || problem != null) {
            return;
        }
        if (from == null || to == null) {
            problem = Messages.DiffPage_NoSuch();
            return;
        }
        try {
            report = new DiffReport(CheckpointDiff.of(from.contents().summary(), to.contents().summary()));
        } catch (IOException e) {
            problem = e.getMessage();
        }
    }

    /** Why there is no difference to see; null if there is. */
    public String getProblem() {
        load();
        return problem;
    }

    /** The figures that say most, as HTML. */
    public String getFiguresHtml() {
        load();
        return report.figures();
    }

    /** All processes, as HTML. */
    public String getProcessesHtml() {
        load();
        return report.processes();
    }

    /** What changed in each, as HTML. */
    public String getChangesHtml() {
        load();
        return report.changes();
    }
}
