// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * The process at the other end, in whose descriptor table a request's numbers are. It is remembered by pid and start time: a client may
 * end and another process, of another user, get its pid, while the connection lives on in a child of the first.
 */
final class PeerProcess {
    private static final Set<criu_req_type> WITH_IMAGES = EnumSet.of(criu_req_type.DUMP, criu_req_type.PRE_DUMP, criu_req_type.SINGLE_PRE_DUMP,
            criu_req_type.RESTORE);

    private final PeerCredentials credentials;
    private final long socketInode;
    private final Optional<ProcessStatus> atConnect;

    PeerProcess(PeerCredentials credentials, long socketInode) throws IOException {
        this.credentials = credentials;
        this.socketInode = socketInode;
        this.atConnect = ProcessStatus.of(credentials.pid());
    }

    PeerCredentials credentials() {
        return credentials;
    }

    String name() {
        return RequestLog.oneLine(atConnect.map(ProcessStatus::name).orElse("?"));
    }

    /**
     * This client, as an engine has to know it.
     *
     * @param target the process to dump that was looked at for it, or null
     * @return whom the engine works for
     * @throws RefusedException if the process that connected is gone
     */
    EngineClient forEngine(ProcessStatus target) throws RefusedException, IOException {
        requireAlive();
        return new EngineClient(credentials, atConnect.orElseThrow().startTime(), socketInode, target == null ? 0 : target.pid(),
                target == null ? 0 : target.startTime());
    }

    /**
     * Checks the directories that a request names.
     *
     * @param request what the client asks
     * @throws RefusedException if the client is gone, a number is not open in it, or not a directory
     */
    void checkDirectories(criu_req request) throws RefusedException, IOException {
        if (!WITH_IMAGES.contains(request.getType())) {
            return;
        }
        if (!request.hasOpts()) {
            throw new RefusedException(Errno.EBADRQC, request.getType() + " request lacks opts: field 2, with images_dir_fd");
        }
        requireAlive();
        criu_opts options = request.getOpts();
        if (options.hasWorkDirFd() && options.getWorkDirFd() >= 0) {
            requireDirectory("work_dir_fd", options.getWorkDirFd());
        }
        if (options.getImagesDirFd() >= 0) {
            requireDirectory("images_dir_fd", options.getImagesDirFd());
            return;
        }
        if (!options.hasImagesDir() || options.getImagesDir().isEmpty()) {
            throw new RefusedException(Errno.EBADRQC, "images_dir_fd " + options.getImagesDirFd() + " is not a descriptor; give one of an open directory, or images_dir");
        }
    }

    private void requireAlive() throws RefusedException, IOException {
        Optional<ProcessStatus> now = ProcessStatus.of(credentials.pid());
        if (now.isEmpty() || atConnect.isEmpty() || now.get().startTime() != atConnect.get().startTime()) {
            throw new RefusedException(Errno.ESRCH, "the process that connected, pid " + credentials.pid()
                    + ", is gone or in another pid namespace; its descriptors cannot be reached");
        }
    }

    private void requireDirectory(String option, int number) throws RefusedException {
        Path descriptor = proc("fd/" + number);
        if (!Files.exists(descriptor, LinkOption.NOFOLLOW_LINKS)) {
            throw new RefusedException(Errno.EBADRQC, option + " " + number + " is not open in the client, pid " + credentials.pid());
        }
        if (!Files.isDirectory(descriptor)) {
            String target;
            try {
                target = Files.readSymbolicLink(descriptor).toString();
            } catch (IOException e) {
                target = "something unreadable";
            }
            throw new RefusedException(Errno.EBADRQC, option + " " + number + " of the client, pid " + credentials.pid() + ", is " + target
                    + ", not a directory");
        }
    }

    private Path proc(String name) {
        return Path.of("/proc", Integer.toString(credentials.pid()), name);
    }

    @Override
    public String toString() {
        return "pid " + credentials.pid() + " (" + name() + ") uid " + Integer.toUnsignedString(credentials.uid()) + " gid "
                + Integer.toUnsignedString(credentials.gid());
    }
}
