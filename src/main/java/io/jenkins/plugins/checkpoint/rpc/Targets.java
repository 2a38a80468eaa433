// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Whether a process can be dumped at all, as far as /proc tells cheaply. The engine looks again once the tree is frozen: between here
 * and there a process may still change.
 */
final class Targets {
    private static final Set<criu_req_type> DUMPS = EnumSet.of(criu_req_type.DUMP, criu_req_type.PRE_DUMP, criu_req_type.SINGLE_PRE_DUMP);

    private Targets() {}

    static boolean isDump(criu_req_type type) {
        return DUMPS.contains(type);
    }

    /** Whether a dump is of whoever asks for it. */
    static boolean isSelfDump(criu_req request) {
        return request.getType() == criu_req_type.DUMP && !request.getOpts().hasPid();
    }

    /**
     * The process that a request is about.
     *
     * @return the pid asked for, or the client's own when a dump names none (self dump)
     */
    static int pidOf(criu_req request, PeerCredentials peer) {
        return request.getOpts().hasPid() ? request.getOpts().getPid() : peer.pid();
    }

    /**
     * Checks the root of the tree and, for a client that is not root, whose every process of it is.
     *
     * @param request a dump of some kind
     * @param peer who asks
     * @param anyOwner true if the owner does not matter
     * @return the root, as it was looked at
     * @throws RefusedException naming the process and what is in the way
     */
    static ProcessStatus check(criu_req request, PeerCredentials peer, boolean anyOwner) throws RefusedException, IOException {
        if (!request.hasOpts()) {
            throw new RefusedException(Errno.EBADRQC, request.getType() + " request lacks opts: field 2, with images_dir_fd and pid");
        }
        int pid = pidOf(request, peer);
        if (pid <= 0) {
            throw new RefusedException(Errno.ESRCH, "pid " + pid + ": no process has such a number");
        }
        ProcessStatus status = ProcessStatus.of(pid).orElseThrow(() -> new RefusedException(Errno.ESRCH, "pid " + pid + ": no such process"));
        String who = "pid " + pid + " (" + status.name() + ")";
        // Ownership first: a stranger learns nothing else about the process.
        if (!anyOwner && !status.belongsTo(peer.uid(), peer.gid())) {
            throw new RefusedException(Errno.EPERM, who + " belongs to uid " + ids(status.uids()) + " gid " + ids(status.gids()) + ", the client is uid "
                    + peer.uid() + " gid " + peer.gid() + ": ask as root, or for a process of your own");
        }
        if (status.kernelThread()) {
            throw new RefusedException(Errno.EINVAL, who + " is a kernel thread; it has no memory to dump");
        }
        if (status.tgid() != pid) {
            throw new RefusedException(Errno.EINVAL, who + " is a thread of process " + status.tgid() + "; ask for that one");
        }
        if (status.state() == 'Z' || status.state() == 'X') {
            throw new RefusedException(Errno.ESRCH, who + " is a zombie: it has ended already and waits for its parent, pid " + status.parent()
                    + ", to collect its exit status");
        }
        if (status.tracer() != 0) {
            String tracer = ProcessStatus.of(status.tracer()).map(ProcessStatus::name).orElse("?");
            throw new RefusedException(Errno.EBUSY, who + " is traced by pid " + status.tracer() + " (" + tracer + "); detach that debugger first");
        }
        refuseOwnAncestor(pid, who);
        if (!anyOwner) {
            checkDescendants(pid, peer);
        }
        return status;
    }

    private static void refuseOwnAncestor(int pid, String who) throws RefusedException, IOException {
        int own = (int) ProcessHandle.current().pid();
        for (int up = own; up > 0;) {
            if (up == pid) {
                throw new RefusedException(Errno.EINVAL, who + (pid == own ? " is the service itself" : " is an ancestor of the service, pid " + own)
                        + ", which would be frozen with it");
            }
            Optional<ProcessStatus> status = ProcessStatus.of(up);
            up = status.map(ProcessStatus::parent).orElse(0);
        }
    }

    private static void checkDescendants(int root, PeerCredentials peer) throws RefusedException, IOException {
        for (ProcessHandle child : ProcessHandle.of(root).stream().flatMap(ProcessHandle::descendants).toList()) {
            Optional<ProcessStatus> status = ProcessStatus.of((int) child.pid());
            if (status.isPresent() && !status.get().belongsTo(peer.uid(), peer.gid())) {
                throw new RefusedException(Errno.EPERM, "pid " + child.pid() + " (" + status.get().name() + "), below pid " + root + ", belongs to uid "
                        + ids(status.get().uids()) + " gid " + ids(status.get().gids()) + ", the client is uid " + peer.uid() + " gid " + peer.gid());
            }
        }
    }

    // real/effective/saved, or one number if they are the same.
    private static String ids(List<Integer> ids) {
        int first = ids.get(0);
        return ids.subList(0, 3).stream().allMatch(id -> id == first) ? Integer.toUnsignedString(first)
                : ids.subList(0, 3).stream().map(Integer::toUnsignedString).reduce((a, b) -> a + "/" + b).orElseThrow();
    }
}
