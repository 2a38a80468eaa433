// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.build;

import hudson.Extension;
import hudson.model.Job;
import hudson.model.PermalinkProjectAction;
import hudson.model.Run;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import jenkins.model.Jenkins;
import jenkins.util.HttpServletFilter;

/**
 * Keeps archives of checkpoints from being downloaded as plain artifacts, which whoever may read a build may have: it takes
 * {@link CheckpointPermissions#DOWNLOAD}. Descriptions, reports and logs stay as readable as the build.
 */
@Extension
public final class ArtifactGuard implements HttpServletFilter {
    /** What a request is after: a checkpoint's archive, or a ZIP file of artifacts, in which there may be some. */
    enum Wish {
        /** Neither. */
        OTHER,
        /** An archive. */
        ARCHIVE,
        /** A ZIP file. */
        ZIP
    }

    @Override
    public boolean handle(HttpServletRequest request, HttpServletResponse response) throws IOException {
        List<String> path = segments(request.getRequestURI().substring(request.getContextPath().length()));
        Wish wish = wish(path);
        if (wish == Wish.OTHER) {
            return false;
        }
        if (path.get(0).equals("static-files")) {
            // Jenkins' second domain for artifacts: whoever holds its links is not asked for permissions there.
            return wish == Wish.ARCHIVE && refuse(response);
        }
        Job<?, ?> job = job(path);
        if (job == null) {
            return !Jenkins.get().getACL().hasPermission(CheckpointPermissions.DOWNLOAD) && wish == Wish.ARCHIVE && refuse(response);
        }
        if (job.getACL().hasPermission(CheckpointPermissions.DOWNLOAD)) {
            return false;
        }
        return (wish == Wish.ARCHIVE || mayHaveCheckpoints(job, build(path))) && refuse(response);
    }

    private static boolean refuse(HttpServletResponse response) throws IOException {
        response.sendError(HttpServletResponse.SC_FORBIDDEN, Messages.Guard_Refused());
        return true;
    }

    /** The parts of a path, decoded, empty ones left out, as Stapler does it. */
    static List<String> segments(String path) {
        List<String> segments = new ArrayList<>();
        for (String part : path.split("/")) {
            if (!part.isEmpty()) {
                try {
                    segments.add(URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8));
                } catch (IllegalArgumentException e) {
                    segments.add(part);
                }
            }
        }
        return segments;
    }

    /** What a path asks for. */
    static Wish wish(List<String> path) {
        int artifact = path.indexOf("artifact");
        boolean otherDomain = !path.isEmpty() && path.get(0).equals("static-files");
        if (artifact < 0 && !otherDomain) {
            return Wish.OTHER;
        }
        List<String> rest = path.subList(artifact + 1, path.size());
        if (rest.contains("*zip*")) {
            return Wish.ZIP;
        }
        int checkpoints = rest.indexOf("checkpoints");
        boolean archive = checkpoints >= 0 && rest.subList(checkpoints + 1, rest.size()).stream().anyMatch(name -> name.matches("[0-9]+\\.tar(\\..*)?"));
        return archive ? Wish.ARCHIVE : Wish.OTHER;
    }

    private static Job<?, ?> job(List<String> path) {
        String name = jobName(path);
        return name.isEmpty() ? null : Jenkins.get().getItemByFullName(name, Job.class);
    }

    /** The full name of the job in a path; empty if there is none. */
    static String jobName(List<String> path) {
        StringBuilder name = new StringBuilder();
        for (int i = 0; i + 1 < path.size() && !path.get(i).equals("artifact"); i++) {
            if (path.get(i).equals("job")) {
                name.append(name.length() == 0 ? "" : "/").append(path.get(++i));
            }
        }
        return name.toString();
    }

    /** The part of a path that says which build: what stands before its artifacts. */
    static String build(List<String> path) {
        int artifact = path.indexOf("artifact");
        return artifact > 0 ? path.get(artifact - 1) : "";
    }

    private static boolean mayHaveCheckpoints(Job<?, ?> job, String build) {
        Run<?, ?> run = null;
        if (build.matches("[0-9]{1,9}")) {
            run = job.getBuildByNumber(Integer.parseInt(build));
        } else {
            PermalinkProjectAction.Permalink link = job.getPermalinks().get(build);
            run = link == null ? null : link.resolve(job);
        }
        return run != null && run.getAction(CheckpointsAction.class) != null;
    }
}
