// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.build;

import hudson.Extension;
import hudson.model.Action;
import hudson.model.Job;
import hudson.model.Run;
import io.jenkins.plugins.checkpoint.report.TrendChart;
import io.jenkins.plugins.checkpoint.report.Units;
import jakarta.servlet.http.HttpServletRequest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.ToLongFunction;
import jenkins.model.TransientActionFactory;
import org.kohsuke.stapler.Stapler;

/** What a job shows of the checkpoints of its builds: how their size and the time that processes stood went over the last builds. */
public final class JobCheckpointsAction implements Action {
    private static final int BUILDS = 30;
    // Looked at for each of a job's pages, so only these.
    private static final int RECENT = 5;

    private final Job<?, ?> job;

    JobCheckpointsAction(Job<?, ?> job) {
        this.job = job;
    }

    /** Adds the page to jobs one of whose last builds has checkpoints. */
    @Extension
    public static final class Factory extends TransientActionFactory<Job> {
        // The permissions have to be there before anybody configures who has them.
        private static final Object PERMISSIONS = CheckpointPermissions.GROUP;

        @Override
        public Class<Job> type() {
            return Job.class;
        }

        @Override
        public Collection<? extends Action> createFor(Job target) {
            Job<?, ?> job = target;
            Run<?, ?> run = job.getLastBuild();
            for (int i = 0; i < RECENT && run != null; i++, run = run.getPreviousBuild()) {
                if (run.getAction(CheckpointsAction.class) != null) {
                    return List.of(new JobCheckpointsAction(job));
                }
            }
            return List.of();
        }
    }

    @Override
    public String getIconFileName() {
        return "symbol-checkpoint plugin-process-checkpoint";
    }

    @Override
    public String getDisplayName() {
        return Messages.CheckpointsAction_DisplayName();
    }

    @Override
    public String getUrlName() {
        return "checkpoints";
    }

    /** The job. */
    public Job<?, ?> getJob() {
        return job;
    }

    /** Of the last builds, those with checkpoints, newest first. */
    public List<CheckpointsAction> getBuilds() {
        List<CheckpointsAction> list = new ArrayList<>();
        Run<?, ?> run = job.getLastBuild();
        for (int i = 0; i < BUILDS && run != null; i++, run = run.getPreviousBuild()) {
            CheckpointsAction action = run.getAction(CheckpointsAction.class);
            if (action != null && !action.getEntries().isEmpty()) {
                list.add(action);
            }
        }
        return list;
    }

    /** How large the largest archive of each build was, as HTML. */
    public String getSizesHtml() {
        return chart(Messages.Trend_Size(), CheckpointEntry::getArchiveBytes, false);
    }

    /** How long the processes of each build stood at most, as HTML. */
    public String getFrozenHtml() {
        return chart(Messages.Trend_Frozen(), CheckpointEntry::getFrozenMicros, true);
    }

    private String chart(String title, ToLongFunction<CheckpointEntry> value, boolean time) {
        HttpServletRequest request = Stapler.getCurrentRequest2();
        List<TrendChart.Point> points = new ArrayList<>();
        for (CheckpointsAction action : getBuilds()) {
            long most = action.getEntries().stream().mapToLong(value).max().orElse(0);
            points.add(0, new TrendChart.Point(action.getRun().getDisplayName(), most, time ? Units.micros(most) : Units.size(most),
                    request.getContextPath() + "/" + action.getRun().getUrl() + "checkpoints/"));
        }
        return TrendChart.html(title, points);
    }
}
