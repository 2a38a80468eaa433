// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_resp;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** Asks a CRIU RPC service: ours or CRIU's own. One request at a time. */
public final class CriuClient implements Closeable {
    private final SeqPacketSocket socket;

    private CriuClient(SeqPacketSocket socket) {
        this.socket = socket;
    }

    /**
     * Connects to a service.
     *
     * @param address where it listens
     * @return the client
     * @throws IOException if nobody listens there, or it is not allowed
     */
    public static CriuClient connect(RpcAddress address) throws IOException {
        return new CriuClient(SeqPacketSocket.connect(address));
    }

    /**
     * Sends a request and waits for the response, however long it takes; notifications are answered with success.
     *
     * @param request what is asked
     * @return the response, successful or not
     * @throws IOException if the service hangs up
     */
    public criu_resp call(criu_req request) throws IOException {
        return call(request, notification -> true);
    }

    /**
     * Sends a request and waits for the response, however long it takes.
     *
     * @param request what is asked
     * @param onNotify is given each NOTIFY on the way; returns false to make the engine give up
     * @return the response, successful or not
     * @throws IOException if the service hangs up
     */
    public criu_resp call(criu_req request, Predicate<criu_resp> onNotify) throws IOException {
        socket.send(request.toByteArray());
        while (true) {
            byte[] packet = socket.receive(Duration.ZERO);
            if (packet.length == 0) {
                throw new IOException("the service hung up without an answer to " + request.getType());
            }
            criu_resp response = criu_resp.parseFrom(packet);
            if (response.getType() != criu_req_type.NOTIFY) {
                return response;
            }
            criu_req answer = criu_req.newBuilder().setType(criu_req_type.NOTIFY).setNotifySuccess(onNotify.test(response)).build();
            socket.send(answer.toByteArray());
        }
    }

    /**
     * Dumps a process tree.
     *
     * @param pid its root
     * @param images an existing directory for the images
     * @param settings sets further options, such as leave_running
     * @return the response
     * @throws CriuException if the answer is no
     * @throws IOException if the directory cannot be opened or the service hangs up
     */
    public criu_resp dump(int pid, Path images, Consumer<criu_opts.Builder> settings) throws IOException {
        return withImages(criu_req_type.DUMP, images, options -> settings.accept(options.setPid(pid)), notification -> true);
    }

    /**
     * Dumps a process tree, as {@link #dump(int, Path, Consumer)}, unless somebody says no in the end.
     *
     * @param pid its root
     * @param images an existing directory for the images
     * @param settings sets further options
     * @param onNotify is given each NOTIFY on the way, the last one, {@code post-dump}, before the processes end; returns false to make the engine give up
     * @return the response
     * @throws IOException as there
     */
    public criu_resp dump(int pid, Path images, Consumer<criu_opts.Builder> settings, Predicate<criu_resp> onNotify) throws IOException {
        return withImages(criu_req_type.DUMP, images, options -> settings.accept(options.setPid(pid).setNotifyScripts(true)), onNotify);
    }

    /**
     * Restores what a directory holds.
     *
     * @param images the images
     * @param settings sets further options
     * @return the pid of the tree's root
     * @throws CriuException if the answer is no
     * @throws IOException if the directory cannot be opened or the service hangs up
     */
    public int restore(Path images, Consumer<criu_opts.Builder> settings) throws IOException {
        return withImages(criu_req_type.RESTORE, images, settings, notification -> true).getRestore().getPid();
    }

    /**
     * Asks whether this machine can dump and restore.
     *
     * @throws CriuException if the answer is no, with what is missing
     * @throws IOException if the service hangs up
     */
    public void check() throws IOException {
        success(criu_req.newBuilder().setType(criu_req_type.CHECK).build());
    }

    /**
     * Asks the engine for its version.
     *
     * @return the response, with its version part
     * @throws CriuException if the answer is no
     * @throws IOException if the service hangs up
     */
    public criu_resp version() throws IOException {
        return success(criu_req.newBuilder().setType(criu_req_type.VERSION).build());
    }

    private criu_resp withImages(criu_req_type type, Path images, Consumer<criu_opts.Builder> settings, Predicate<criu_resp> onNotify) throws IOException {
        try (DirectoryDescriptor directory = DirectoryDescriptor.open(images)) {
            criu_opts.Builder options = criu_opts.newBuilder().setImagesDirFd(directory.number());
            settings.accept(options);
            return require(criu_req.newBuilder().setType(type).setOpts(options).build(), onNotify);
        }
    }

    private criu_resp success(criu_req request) throws IOException {
        return require(request, notification -> true);
    }

    /**
     * Sends a request and waits for the response, as {@link #call(criu_req, Predicate)}.
     *
     * @param request what is asked
     * @param onNotify is given each NOTIFY on the way; returns false to make the engine give up
     * @return a successful response
     * @throws CriuException if the answer is no
     * @throws IOException if the service hangs up
     */
    public criu_resp require(criu_req request, Predicate<criu_resp> onNotify) throws IOException {
        criu_resp response = call(request, onNotify);
        if (!response.getSuccess()) {
            throw new CriuException(request.getType(), response);
        }
        return response;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
