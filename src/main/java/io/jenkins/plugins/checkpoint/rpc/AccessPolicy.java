// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import java.io.IOException;

/**
 * Who may ask the service for what.
 *
 * <p>Root may ask for everything. The user that the service itself runs as may ask for everything too, and the kernel sees to it that it
 * reaches no further than that user does. Any other user is served by a root service only, and only through an engine that becomes that
 * user first: there as well it is the kernel that decides which files may be opened and which processes stopped. Whose the processes are is
 * looked at here in addition, where the answer can be a clear one.
 */
final class AccessPolicy {
    private final int serviceUid;
    private final int serviceGid;
    private final Engine engine;

    AccessPolicy(int serviceUid, int serviceGid, Engine engine) {
        this.serviceUid = serviceUid;
        this.serviceGid = serviceGid;
        this.engine = engine;
    }

    /**
     * Checks a request before any engine sees it.
     *
     * @param peer who asks
     * @param request what
     * @return the process that is to be dumped, as it was looked at, or null if the request is for something else
     * @throws RefusedException if it may not be, with the reason
     */
    ProcessStatus check(PeerCredentials peer, criu_req request) throws RefusedException, IOException {
        if (!peer.isRoot() && (peer.uid() != serviceUid || peer.gid() != serviceGid)) {
            checkStranger(peer);
        }
        if (request.getOpts().getRstSibling()) {
            throw new RefusedException(Errno.EINVAL, "rst_sibling: a process restored by the service cannot become the client's child; "
                    + "leave the option out, or run `pcr swrk` as your own child");
        }
        return Targets.isDump(request.getType()) ? Targets.check(request, peer, peer.isRoot()) : null;
    }

    private void checkStranger(PeerCredentials peer) throws RefusedException {
        String user = "uid " + Integer.toUnsignedString(peer.uid()) + " gid " + Integer.toUnsignedString(peer.gid());
        if (serviceUid != 0) {
            throw new RefusedException(Errno.EPERM, "the service runs as uid " + serviceUid + " gid " + serviceGid + " and serves that user and root, not "
                    + user + "; start a service of your own");
        }
        if (!engine.actsWithPeersRights()) {
            throw new RefusedException(Errno.EPERM, "this service uses " + engine.name() + ", which would open files as root for " + user
                    + "; start the service with the embedded engine, or one of your own");
        }
    }
}
