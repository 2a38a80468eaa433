// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.build;

import hudson.Util;
import hudson.model.Action;
import hudson.model.Api;
import hudson.model.Cause;
import hudson.model.CauseAction;
import hudson.model.Item;
import hudson.model.Job;
import hudson.model.ModelObject;
import hudson.model.ParameterDefinition;
import hudson.model.ParameterValue;
import hudson.model.ParametersAction;
import hudson.model.ParametersDefinitionProperty;
import hudson.model.Run;
import io.jenkins.plugins.checkpoint.report.CheckpointReport;
import io.jenkins.plugins.checkpoint.report.ReportSections;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import jenkins.model.ParameterizedJobMixIn;
import jenkins.security.stapler.StaplerAccessibleType;
import jenkins.util.VirtualFile;
import net.sf.json.JSONObject;
import org.kohsuke.stapler.HttpResponse;
import org.kohsuke.stapler.HttpResponses;
import org.kohsuke.stapler.StaplerRequest2;
import org.kohsuke.stapler.StaplerResponse2;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;
import org.kohsuke.stapler.interceptor.RequirePOST;

/** The page of one checkpoint: {@code checkpoints/name/NAME/NUMBER}. */
@ExportedBean(defaultVisibility = 999)
@StaplerAccessibleType
public final class CheckpointPage implements ModelObject {
    private final Run<?, ?> run;
    private final CheckpointEntry entry;
    private final CheckpointFiles files;
    private CheckpointFiles.Contents contents;
    private ReportSections sections;
    private String problem;
    private boolean loaded;

    CheckpointPage(Run<?, ?> run, CheckpointEntry entry) {
        this.run = run;
        this.entry = entry;
        files = new CheckpointFiles(run, entry);
    }

    @Override
    public String getDisplayName() {
        return entry.getName() + " #" + entry.getNumber();
    }

    /** The build. */
    public Run<?, ?> getRun() {
        return run;
    }

    /** What the build remembers. */
    @Exported(inline = true)
    public CheckpointEntry getEntry() {
        return entry;
    }

    /** URL of this page, relative to that of the build's checkpoints. */
    public String getUrl() {
        return "name/" + Util.rawEncode(entry.getName()) + "/" + entry.getNumber() + "/";
    }

    /** Name and number, as {@code diff} takes them. */
    public String getReference() {
        return entry.getName() + "/" + entry.getNumber();
    }

    /** Whether the archive is still there. */
    @Exported
    public boolean isAvailable() {
        return files.hasArchive();
    }

    /** Whether the user may download it, and it is there. */
    public boolean isDownloadable() {
        return CheckpointPermissions.mayDownload(run) && files.hasArchive();
    }

    /** Whether the user may have a new build restore it, and it is there. */
    public boolean isRestorable() {
        Job<?, ?> job = run.getParent();
        return job instanceof ParameterizedJobMixIn.ParameterizedJob && job.isBuildable() && job.getACL().hasPermission(Item.BUILD)
                && run.getACL().hasPermission(CheckpointPermissions.RESTORE) && files.hasArchive();
    }

    private void load() {
        if (!loaded) {
            loaded = true;
            try {
                contents = files.read();
                sections = new ReportSections(contents.summary());
            } catch (IOException e) {
                problem = e.getMessage();
            }
        }
    }

    CheckpointFiles.Contents contents() throws IOException {
        load();
        if (contents == null) {
            throw new IOException(problem);
        }
        return contents;
    }

    /** Why there is nothing to see of the checkpoint's inside; null if there is. */
    public String getProblem() {
        load();
        return problem;
    }

    /** The most important figures, as HTML. */
    public String getFiguresHtml() {
        load();
        return sections.figures(entry.getImageBytes(), entry.getArchiveBytes());
    }

    /** The process tree, as HTML. */
    public String getProcessesHtml() {
        load();
        return sections.processes();
    }

    /** Memory, as HTML. */
    public String getMemoryHtml() {
        load();
        return sections.memory();
    }

    /** Connections within the tree, as HTML. */
    public String getConnectionsHtml() {
        load();
        return sections.connections();
    }

    /** Descriptors, as HTML. */
    public String getDescriptorsHtml() {
        load();
        return sections.descriptors();
    }

    /** What a restore needs, as HTML. */
    public String getNeedsHtml() {
        load();
        return sections.needs(CheckpointReport.hostNeeds(contents.manifest().host()));
    }

    /** Times of the dump, as HTML; empty if unknown. */
    public String getTimingsHtml() {
        load();
        return sections.timings();
    }

    /** The checkpoint before this one, of the same name; null if this is the first. */
    public CheckpointPage getBefore() {
        CheckpointsAction action = run.getAction(CheckpointsAction.class);
        return action == null ? null : action.getPages().stream().filter(page -> page.entry.getName().equals(entry.getName()) && page.entry.getNumber() < entry.getNumber())
                .findFirst().orElse(null);
    }

    /** URL {@code api}. */
    public Api getApi() {
        return new Api(this);
    }

    /** What a new build can be given: the job's parameters, with the values of this build. Its page asks for them. */
    public List<ParameterDefinition> getParameterDefinitions() {
        ParametersDefinitionProperty property = run.getParent().getProperty(ParametersDefinitionProperty.class);
        ParametersAction values = run.getAction(ParametersAction.class);
        List<ParameterDefinition> definitions = new ArrayList<>();
        if (property != null) {
            for (ParameterDefinition definition : property.getParameterDefinitions()) {
                ParameterValue value = values == null ? null : values.getParameter(definition.getName());
                definitions.add(value == null ? definition : definition.copyWithDefaultValue(value));
            }
        }
        return definitions;
    }

    /**
     * Sends the archive.
     *
     * @param stapler where it goes
     * @throws IOException if it is gone
     */
    public void doDownload(StaplerResponse2 stapler) throws IOException {
        HttpServletResponse response = stapler;
        run.getACL().checkPermission(CheckpointPermissions.DOWNLOAD);
        VirtualFile file = files.file(".tar.zst");
        if (!file.isFile()) {
            response.sendError(404, Messages.Files_Gone());
            return;
        }
        URL elsewhere = file.toExternalURL();
        if (elsewhere != null) {
            response.sendRedirect(elsewhere.toString());
            return;
        }
        response.setContentType("application/zstd");
        name(response, "attachment", ".tar.zst");
        response.setHeader("Content-Length", String.valueOf(file.length()));
        try (InputStream in = file.open()) {
            in.transferTo(response.getOutputStream());
        }
    }

    /**
     * Shows a report that stands alone and can be saved, made of what the archive says of itself.
     *
     * @param stapler where it goes
     * @throws IOException if it is gone or damaged
     */
    public void doReport(StaplerResponse2 stapler) throws IOException {
        HttpServletResponse response = stapler;
        String html;
        try {
            CheckpointFiles.Contents all = contents();
            html = new CheckpointReport(getDisplayName() + ", " + run.getFullDisplayName(), all.summary(), all.manifest(), entry.getArchiveBytes()).html();
        } catch (IOException e) {
            response.sendError(404, e.getMessage());
            return;
        }
        response.setContentType("text/html;charset=UTF-8");
        // In a place of its own: the page can neither run scripts nor act as the user.
        name(response, "inline", ".html");
        response.setHeader("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'");
        response.setHeader("X-Content-Type-Options", "nosniff");
        response.getOutputStream().write(html.getBytes(StandardCharsets.UTF_8));
    }

    private void name(HttpServletResponse response, String how, String suffix) {
        response.setHeader("Content-Disposition", how + "; filename=\"" + entry.getName().replaceAll("[^\\w.-]", "_") + "-" + entry.getNumber() + suffix + "\"");
    }

    /**
     * Schedules a build of the job that begins by restoring this checkpoint.
     *
     * @param request with the form of {@code restoreForm}, if the job has parameters
     * @return back to the job
     * @throws ServletException if the form is broken
     * @throws IOException never
     */
    @RequirePOST
    public HttpResponse doRestore(StaplerRequest2 request) throws ServletException, IOException {
        Job<?, ?> job = run.getParent();
        job.checkPermission(Item.BUILD);
        run.getACL().checkPermission(CheckpointPermissions.RESTORE);
        if (!(job instanceof ParameterizedJobMixIn.ParameterizedJob) || !job.isBuildable()) {
            return HttpResponses.errorWithoutStack(409, Messages.Restore_NotBuildable(job.getFullDisplayName()));
        }
        if (!files.hasArchive()) {
            return HttpResponses.errorWithoutStack(404, Messages.Files_Gone());
        }
        List<Action> actions = new ArrayList<>();
        actions.add(new CauseAction(new Cause[] {new Cause.UserIdCause(), new RestoreCause(run, entry)}));
        actions.add(new RestoreRequestAction(entry.getName(), job.getFullName(), run.getNumber(), entry.getNumber()));
        List<ParameterDefinition> definitions = getParameterDefinitions();
        if (!definitions.isEmpty()) {
            actions.add(new ParametersAction(values(request, definitions)));
        }
        if (ParameterizedJobMixIn.scheduleBuild2(job, 0, actions.toArray(new Action[0])) == null) {
            return HttpResponses.errorWithoutStack(409, Messages.Restore_NotQueued());
        }
        return HttpResponses.redirectViaContextPath(job.getUrl());
    }

    private static List<ParameterValue> values(StaplerRequest2 request, List<ParameterDefinition> definitions) throws ServletException {
        List<ParameterValue> values = new ArrayList<>();
        HttpServletRequest plain = request;
        Object submitted = plain.getParameter("json") == null ? null : request.getSubmittedForm().opt("parameter");
        List<?> list = submitted == null ? List.of() : submitted instanceof List<?> several ? several : List.of(submitted);
        for (ParameterDefinition definition : definitions) {
            ParameterValue value = definition.getDefaultParameterValue();
            for (Object item : list) {
                if (item instanceof JSONObject json && definition.getName().equals(json.optString("name"))) {
                    value = definition.createValue(request, json);
                }
            }
            if (value != null) {
                values.add(value);
            }
        }
        return values;
    }
}
