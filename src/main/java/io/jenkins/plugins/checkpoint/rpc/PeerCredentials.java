// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

/**
 * Who is at the other end of a connection, as SO_PEERCRED tells it (socket(7), unix(7)): the state at the time of connect().
 *
 * @param pid process id, in the service's pid namespace; 0 if the client lives outside of it
 * @param uid effective user id
 * @param gid effective group id
 */
public record PeerCredentials(int pid, int uid, int gid) {
    /**
     * Says whether the peer may do everything.
     *
     * @return true for uid 0
     */
    public boolean isRoot() {
        return uid == 0;
    }

    @Override
    public String toString() {
        return "pid " + pid + " uid " + Integer.toUnsignedString(uid) + " gid " + Integer.toUnsignedString(gid);
    }
}
