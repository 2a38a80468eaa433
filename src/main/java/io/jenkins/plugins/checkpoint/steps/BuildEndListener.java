// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.Extension;
import hudson.model.Run;
import hudson.model.listeners.RunListener;

/** A build that is over gives out no more numbers. */
@Extension
public final class BuildEndListener extends RunListener<Run<?, ?>> {
    @Override
    public void onFinalized(Run<?, ?> build) {
        CheckpointStore.forget(build);
    }
}
