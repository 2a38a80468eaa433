// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.build;

import hudson.Util;
import hudson.model.Api;
import hudson.model.Run;
import io.jenkins.plugins.checkpoint.report.Timeline;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import jenkins.model.RunAction2;
import jenkins.security.stapler.StaplerAccessibleType;
import org.kohsuke.stapler.Stapler;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/** The checkpoints of a build: persisted with it, and its page {@code checkpoints}. */
@ExportedBean(defaultVisibility = 999)
@StaplerAccessibleType
public class CheckpointsAction implements RunAction2 {
    private List<CheckpointEntry> entries = new ArrayList<>();
    private transient Run<?, ?> run;

    /**
     * Adds a checkpoint to a build, in place of an older one of that name and number, and saves the build.
     *
     * @param run the build
     * @param entry the checkpoint
     * @throws IOException if the build cannot be saved
     */
    public static void add(Run<?, ?> run, CheckpointEntry entry) throws IOException {
        synchronized (CheckpointsAction.class) {
            CheckpointsAction action = run.getAction(CheckpointsAction.class);
            if (action == null) {
                action = new CheckpointsAction();
                run.addAction(action);
            }
            action.put(entry);
        }
        run.save();
    }

    /**
     * Forgets a checkpoint, as when its artifacts were deleted to keep only the newest, and saves the build.
     *
     * @param run the build
     * @param name of the checkpoint
     * @param number of it
     * @throws IOException if the build cannot be saved
     */
    public static void remove(Run<?, ?> run, String name, int number) throws IOException {
        CheckpointsAction action = run.getAction(CheckpointsAction.class);
        if (action != null && action.drop(name, number)) {
            run.save();
        }
    }

    private synchronized void put(CheckpointEntry entry) {
        drop(entry.getName(), entry.getNumber());
        List<CheckpointEntry> list = new ArrayList<>(entries);
        list.add(entry);
        // Saving may happen at any time: a list that is being written is never changed.
        entries = list;
    }

    private synchronized boolean drop(String name, int number) {
        List<CheckpointEntry> list = new ArrayList<>(entries);
        boolean dropped = list.removeIf(entry -> entry.getName().equals(name) && entry.getNumber() == number);
        entries = list;
        return dropped;
    }

    /** Builds of an older version may lack what newer ones write. */
    protected Object readResolve() {
        if (entries == null) {
            entries = new ArrayList<>();
        }
        return this;
    }

    @Override
    public void onAttached(Run<?, ?> build) {
        run = build;
    }

    @Override
    public void onLoad(Run<?, ?> build) {
        run = build;
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

    /** The build. */
    public Run<?, ?> getRun() {
        return run;
    }

    /** Its checkpoints, oldest first. */
    @Exported(name = "checkpoints", inline = true)
    public synchronized List<CheckpointEntry> getEntries() {
        return entries.stream().sorted(Comparator.comparingLong(CheckpointEntry::getTime)).toList();
    }

    /** The pages of its checkpoints, newest first. */
    public List<CheckpointPage> getPages() {
        List<CheckpointPage> pages = new ArrayList<>();
        getEntries().forEach(entry -> pages.add(0, new CheckpointPage(run, entry)));
        return pages;
    }

    /** A checkpoint; null if the build has none of that name and number. */
    public CheckpointPage find(String name, int number) {
        return getEntries().stream().filter(entry -> entry.getName().equals(name) && entry.getNumber() == number).findFirst()
                .map(entry -> new CheckpointPage(run, entry)).orElse(null);
    }

    /** When the checkpoints were made, in the time of the build, as a picture. */
    public String getTimelineHtml() {
        long start = run.getStartTimeInMillis();
        long end = run.isBuilding() ? System.currentTimeMillis() : start + run.getDuration();
        List<CheckpointEntry> list = getEntries();
        return Timeline.html(start, end, list.stream().map(entry -> new Timeline.Mark(entry.getTime(), entry.getName() + " #" + entry.getNumber(),
                entry.getReasonText() + (entry.getFrozen().isEmpty() ? "" : ", " + Messages.Frozen(entry.getFrozen())),
                "name/" + Util.rawEncode(entry.getName()) + "/" + entry.getNumber() + "/")).toList());
    }

    /** URL {@code name/NAME/NUMBER}. */
    public NamedCheckpoints getName(String name) {
        return new NamedCheckpoints(this, name);
    }

    /** URL {@code diff?from=NAME/NUMBER&to=NAME/NUMBER}. */
    public DiffPage getDiff() {
        HttpServletRequest request = Stapler.getCurrentRequest2();
        return new DiffPage(this, request.getParameter("from"), request.getParameter("to"));
    }

    /** URL {@code api}. */
    public Api getApi() {
        return new Api(this);
    }

    /** The checkpoints of one name, to get at them by their numbers. */
    @StaplerAccessibleType
    public static final class NamedCheckpoints {
        private final CheckpointsAction action;
        private final String name;

        NamedCheckpoints(CheckpointsAction action, String name) {
            this.action = action;
            this.name = name;
        }

        /** The checkpoint of that number; null if there is none. */
        public CheckpointPage getDynamic(String number) {
            return number.matches("[1-9][0-9]{0,8}") ? action.find(name, Integer.parseInt(number)) : null;
        }
    }
}
