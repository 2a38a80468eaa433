// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.model.Run;
import io.jenkins.plugins.checkpoint.build.RestoreRequestAction;
import java.io.IOException;

/** "Restore in a new build": a build that was started so begins its run of that name with the checkpoint instead of the script. */
final class RestoreRequests {
    private RestoreRequests() {}

    /**
     * What a build was started to restore.
     *
     * @param build the build
     * @param name of the run that starts
     * @return the checkpoint; null if the run is to start from its script
     */
    static CheckpointSource find(Run<?, ?> build, String name) throws IOException {
        RestoreRequestAction request = build.getAction(RestoreRequestAction.class);
        return request != null && request.getName().equals(name)
                ? CheckpointSource.of(request.getProject(), request.getBuild(), request.getName(), request.getNumber()) : null;
    }
}
