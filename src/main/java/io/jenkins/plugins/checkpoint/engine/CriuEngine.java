// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.engine;

import io.jenkins.plugins.checkpoint.rpc.DirectoryDescriptor;
import io.jenkins.plugins.checkpoint.rpc.Engine;
import io.jenkins.plugins.checkpoint.rpc.EngineClient;
import io.jenkins.plugins.checkpoint.rpc.EngineSession;
import io.jenkins.plugins.checkpoint.rpc.Errno;
import io.jenkins.plugins.checkpoint.rpc.PeerCredentials;
import io.jenkins.plugins.checkpoint.rpc.RefusedException;
import io.jenkins.plugins.checkpoint.rpc.SeqPacketSocket;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The machine's own CRIU. Its swrk takes descriptor numbers as those of whoever made the socket pair, which is this JVM: so directories
 * of the client are opened here. What cannot be opened twice, and a process that dumps itself, are left to a swrk that is given the client's
 * own connection.
 */
final class CriuEngine implements Engine {
    private final Path program;

    CriuEngine(Path program) {
        this.program = program;
    }

    @Override
    public String name() {
        return "criu (" + program + ")";
    }

    @Override
    public boolean actsWithPeersRights() {
        return false;
    }

    @Override
    public void check(criu_req request) throws RefusedException {
        if (wantsConnection(request)) {
            throw new RefusedException(Errno.EOPNOTSUPP, "a self dump, inherit_fd, status_fd, pidfd_store_sk, ps.fd and orphan_pts_master have to come first "
                    + "on a connection with " + name() + ": connect again for it");
        }
    }

    @Override
    public boolean wantsConnections() {
        return true;
    }

    @Override
    public boolean wantsConnection(criu_req request) {
        criu_opts options = request.getOpts();
        return request.getType() == criu_req_type.DUMP && !options.hasPid() || options.getInheritFdCount() > 0 || options.hasStatusFd()
                || options.hasPidfdStoreSk() || options.hasPs() && options.getPs().hasFd() || options.getOrphanPtsMaster();
    }

    @Override
    public Process handOver(SeqPacketSocket connection) throws IOException {
        Process process = new ProcessBuilder(program.toString(), "swrk", "0").redirectInput(connection.asRedirect()).redirectErrorStream(true).start();
        EngineLog.follow(process, "criu", false);
        return process;
    }

    @Override
    public EngineSession open(EngineClient client) throws IOException {
        return new Session(EngineProcess.start(List.of(program.toString(), "swrk", "0"), "criu", false), client.credentials());
    }

    /** Holds the client's directories open for as long as criu may use them. */
    private static final class Session implements EngineSession {
        private final EngineProcess process;
        private final PeerCredentials peer;
        private final List<DirectoryDescriptor> directories = new ArrayList<>();

        Session(EngineProcess process, PeerCredentials peer) {
            this.process = process;
            this.peer = peer;
        }

        @Override
        public void send(criu_req request) throws IOException, RefusedException {
            if (!request.hasOpts()) {
                process.send(request);
                return;
            }
            criu_opts.Builder options = request.getOpts().toBuilder();
            if (options.getImagesDirFd() >= 0) {
                options.setImagesDirFd(open("images_dir_fd", Path.of("/proc/" + peer.pid() + "/fd/" + options.getImagesDirFd())));
            } else if (options.hasImagesDir()) {
                // The field is younger than many an installed criu.
                options.setImagesDirFd(open("images_dir", Path.of("/proc/" + peer.pid() + "/cwd").resolve(options.getImagesDir()))).clearImagesDir();
            }
            if (options.hasWorkDirFd() && options.getWorkDirFd() >= 0) {
                options.setWorkDirFd(open("work_dir_fd", Path.of("/proc/" + peer.pid() + "/fd/" + options.getWorkDirFd())));
            }
            process.send(request.toBuilder().setOpts(options).build());
        }

        private int open(String option, Path directory) throws IOException, RefusedException {
            try {
                DirectoryDescriptor descriptor = DirectoryDescriptor.open(directory);
                directories.add(descriptor);
                return descriptor.number();
            } catch (NoSuchFileException e) {
                throw new RefusedException(Errno.ENOENT, option + ": " + directory + " does not exist");
            } catch (NotDirectoryException e) {
                throw new RefusedException(Errno.ENOTDIR, option + ": " + directory + " is not a directory");
            }
        }

        @Override
        public byte[] receive() throws IOException {
            return process.receive();
        }

        @Override
        public String howItEnded() {
            return process.howItEnded();
        }

        @Override
        public Optional<String> lastWords() {
            return process.lastWords();
        }

        @Override
        public void close() throws IOException {
            process.close();
            for (DirectoryDescriptor directory : directories) {
                directory.close();
            }
        }
    }
}
