// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import com.google.protobuf.Descriptors.FieldDescriptor;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;

/**
 * Who may ask the service for what.
 *
 * <p>Root may ask for everything. The user that the service itself runs as may ask for everything on processes that are all its own.
 * Any other user is served by a root service only, only through an engine that opens files with the client's rights, only for what
 * cannot make a process (images decide whose a restored process is), and only with options that name nothing outside of the images.
 */
final class AccessPolicy {
    private static final Set<criu_req_type> FOR_ANY_USER = EnumSet.of(criu_req_type.DUMP, criu_req_type.PRE_DUMP, criu_req_type.SINGLE_PRE_DUMP,
            criu_req_type.CHECK, criu_req_type.FEATURE_CHECK, criu_req_type.VERSION);

    private static final Set<String> OPTIONS_FOR_ANY_USER = Set.of("images_dir_fd", "images_dir", "pid", "leave_running", "leave_stopped",
            "ext_unix_sk", "tcp_established", "tcp_close", "tcp_skip_in_flight", "evasive_devices", "shell_job", "file_locks", "log_level",
            "log_file", "work_dir_fd", "track_mem", "parent_img", "auto_dedup", "link_remap", "cpu_cap", "notify_scripts", "ghost_limit",
            "timeout", "pre_dump_mode", "orphan_pts_master", "display_stats", "log_to_stderr", "skip_file_rwx_check", "unprivileged");

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
     * @throws RefusedException if it may not be, with the reason
     */
    void check(PeerCredentials peer, criu_req request) throws RefusedException, IOException {
        if (!peer.isRoot()) {
            checkUser(peer, request);
        }
        if (request.getOpts().getRstSibling()) {
            throw new RefusedException(Errno.EINVAL, "rst_sibling: a process restored by the service cannot become the client's child; "
                    + "leave the option out, or run `pcr swrk` as your own child");
        }
        if (Targets.isDump(request.getType())) {
            Targets.check(request, peer, peer.isRoot());
        }
    }

    private void checkUser(PeerCredentials peer, criu_req request) throws RefusedException {
        if (peer.uid() == serviceUid && peer.gid() == serviceGid) {
            return;
        }
        String user = "uid " + peer.uid() + " gid " + peer.gid();
        if (serviceUid != 0) {
            throw new RefusedException(Errno.EPERM, "the service runs as uid " + serviceUid + " gid " + serviceGid + " and serves that user and root, not "
                    + user + "; start a service of your own");
        }
        if (!engine.actsWithPeersRights()) {
            throw new RefusedException(Errno.EPERM, "this service uses " + engine.name() + ", which would open files as root for " + user
                    + "; start the service with the embedded engine, or one of your own");
        }
        if (!FOR_ANY_USER.contains(request.getType())) {
            throw new RefusedException(Errno.EPERM, request.getType() + " through a service that runs as root is for root only, not for " + user
                    + "; start a service of your own");
        }
        criu_opts options = request.getOpts();
        for (FieldDescriptor field : options.getAllFields().keySet()) {
            if (!OPTIONS_FOR_ANY_USER.contains(field.getName())) {
                throw new RefusedException(Errno.EPERM, "option " + field.getName() + " through a service that runs as root is for root only, not for " + user);
            }
        }
        // Fields that this version cannot name cannot be judged either.
        if (!options.getUnknownFields().asMap().isEmpty()) {
            throw new RefusedException(Errno.EPERM, "unknown option number " + options.getUnknownFields().asMap().keySet().iterator().next()
                    + " through a service that runs as root is for root only, not for " + user);
        }
    }
}
