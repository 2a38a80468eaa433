// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.Extension;
import hudson.model.Computer;
import hudson.node_monitors.AbstractAsyncNodeMonitorDescriptor;
import hudson.node_monitors.NodeMonitor;
import hudson.remoting.Callable;
import io.jenkins.plugins.checkpoint.agent.AgentException;
import io.jenkins.plugins.checkpoint.agent.MachineCheck;
import java.io.IOException;
import org.jenkinsci.Symbol;
import org.kohsuke.stapler.DataBoundConstructor;

/** A column of the list of agents: what {@code pcr check} says of each. Never puts an agent offline. */
public final class CheckpointNodeMonitor extends NodeMonitor {
    /** A monitor. */
    @DataBoundConstructor
    public CheckpointNodeMonitor() {}

    @Override
    public String getColumnCaption() {
        return Messages.Monitor_Caption();
    }

    /** Asks the agents. */
    @Extension
    @Symbol("checkpoint")
    public static final class DescriptorImpl extends AbstractAsyncNodeMonitorDescriptor<MachineCheck> {
        @Override
        public String getDisplayName() {
            return Messages.Monitor_DisplayName();
        }

        @Override
        protected Callable<MachineCheck, IOException> createCallable(Computer computer) {
            return new Ask();
        }
    }

    /** An agent of another kind is no error here. */
    private static final class Ask extends AgentCalls.Work<MachineCheck> {
        private static final long serialVersionUID = 1;

        @Override
        MachineCheck run() throws IOException, InterruptedException {
            try {
                return new AgentCalls.Check().run();
            } catch (AgentException e) {
                return new MachineCheck(false, e.getMessage());
            }
        }
    }
}
