// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import java.io.IOException;

/**
 * Whom an engine works for: the process whose descriptors a request's numbers are, and whose rights count.
 *
 * @param credentials who connected, from SO_PEERCRED
 * @param startTime when that process started, in clock ticks after boot: with the pid it names one process
 * @param socketInode inode of the service's end of the connection, by which the client's own end is found for a self dump; 0 for none
 * @param target pid of the process that the service has looked at for this client; 0 for none
 * @param targetStart when the target started, in clock ticks after boot
 */
public record EngineClient(PeerCredentials credentials, long startTime, long socketInode, int target, long targetStart) {
    /**
     * This JVM as a client of an engine.
     *
     * @return its credentials
     * @throws IOException if /proc does not show them
     */
    public static EngineClient self() throws IOException {
        int pid = (int) ProcessHandle.current().pid();
        ProcessStatus self = ProcessStatus.of(pid).orElseThrow(() -> new IOException("/proc does not show this process, pid " + pid));
        return new EngineClient(new PeerCredentials(pid, self.uids().get(1), self.gids().get(1)), self.startTime(), 0, 0, 0);
    }
}
