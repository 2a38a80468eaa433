// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;

import hudson.model.Result;
import io.jenkins.plugins.checkpoint.build.CheckpointsAction;
import java.util.Map;
import org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition;
import org.jenkinsci.plugins.workflow.cps.SnippetizerTester;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.Rule;
import org.junit.Test;
import org.jvnet.hudson.test.JenkinsRule;

/** The steps in a real Jenkins, on its built-in node: {@code mvn -Pjenkins verify}. */
public class CheckpointStepsTest {
    @Rule
    public final JenkinsRule jenkins = new JenkinsRule();

    private WorkflowRun build(String script, Result expected) throws Exception {
        WorkflowJob job = jenkins.createProject(WorkflowJob.class);
        job.setDefinition(new CpsFlowDefinition(script, true));
        return jenkins.buildAndAssertStatus(expected, job);
    }

    @Test
    public void restoresWhereItWasDumped() throws Exception {
        WorkflowRun build = build("""
                node {
                  parallel(
                    run: { checkpointRun name: 'count', script: 'i=0; while [ $i -lt 100 ]; do i=$((i + 1)); echo "case $i"; sleep 0.1; done; exit 3' },
                    dump: { sleep 3; checkpointDump name: 'count', leaveRunning: false })
                  int status = checkpointRestore name: 'count', returnStatus: true
                  echo "status ${status}"
                }""", Result.SUCCESS);
        jenkins.assertLogContains("case 100", build);
        jenkins.assertLogContains("status 3", build);
        assertEquals(1, build.getAction(CheckpointsAction.class).getEntries().size());
        assertNotNull(build.getArtifactManager().root().child("checkpoints/count/1.tar.zst").open());
    }

    @Test
    public void failsAsShDoes() throws Exception {
        jenkins.assertLogContains("script returned exit code 7", build("node { checkpointRun script: 'exit 7' }", Result.FAILURE));
    }

    @Test
    public void snippetsRoundTrip() throws Exception {
        CheckpointRunStep step = new CheckpointRunStep("./soak.sh");
        step.setName("soak");
        step.setEvery("30m");
        step.setTcpEstablished(true);
        new SnippetizerTester(jenkins).assertRoundTrip(step, "checkpointRun every: '30m', name: 'soak', script: './soak.sh', tcpEstablished: true");
    }

    @Test
    public void configurationIsKept() throws Exception {
        CheckpointConfiguration.get().setCompression(7);
        jenkins.configRoundtrip();
        assertEquals(Map.of("compression", 7), Map.of("compression", CheckpointConfiguration.get().getCompression()));
    }
}
