// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.Extension;
import hudson.model.Computer;
import hudson.slaves.ComputerListener;
import hudson.slaves.OfflineCause;

/** An agent that is marked offline, as clouds do when a spot machine is about to be taken away, checkpoints the runs that want it. */
@Extension
public final class AgentListener extends ComputerListener {
    @Override
    public void onTemporarilyOffline(Computer computer, OfflineCause cause) {
        for (RunSession session : RunSessions.on(computer.getName())) {
            session.agentLeaves();
        }
    }
}
