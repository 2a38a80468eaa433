// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.engine;

import io.jenkins.plugins.checkpoint.rpc.EngineSession;
import io.jenkins.plugins.checkpoint.rpc.RefusedException;
import io.jenkins.plugins.checkpoint.rpc.SeqPacketSocket;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A running {@code swrk}: its standard input is one end of a SOCK_SEQPACKET pair, this object holds the other.
 *
 * <p>The process is never killed from here. When this end closes, the engine finishes or rolls back, and ends; the JVM reaps it.
 */
class EngineProcess implements EngineSession {
    private final SeqPacketSocket socket;
    private final Process process;
    private final EngineLog log;

    private EngineProcess(SeqPacketSocket socket, Process process, EngineLog log) {
        this.socket = socket;
        this.process = process;
        this.log = log;
    }

    /**
     * Starts an engine.
     *
     * @param command program and arguments; the descriptor that swrk works on is 0
     * @param name what its log lines are headed with
     * @param quiet if they say nothing that its answer does not say
     * @return the running engine
     * @throws IOException if it cannot be started
     */
    static EngineProcess start(List<String> command, String name, boolean quiet) throws IOException {
        SeqPacketSocket.Pair pair = SeqPacketSocket.pair();
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectInput(pair.second().asRedirect()).redirectErrorStream(true);
            // What systemd told the service is not for its children (sd_listen_fds(3), sd_notify(3)).
            builder.environment().keySet().removeAll(List.of("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET"));
            Process process = builder.start();
            return new EngineProcess(pair.first(), process, EngineLog.follow(process, name, quiet));
        } catch (IOException e) {
            pair.first().close();
            throw e;
        } finally {
            // The child's copy must be the only one left, or its end would go unnoticed.
            pair.second().close();
        }
    }

    @Override
    public void send(criu_req request) throws IOException, RefusedException {
        socket.send(request.toByteArray());
    }

    @Override
    public byte[] receive() throws IOException {
        return socket.receive(Duration.ZERO);
    }

    @Override
    public String howItEnded() {
        String end;
        try {
            if (!process.waitFor(5, TimeUnit.SECONDS)) {
                return "it closed the connection and goes on as pid " + process.pid();
            }
            // The JVM reports a death by signal as 128 + number, as a shell does.
            int status = process.exitValue();
            end = status > 128 ? "it was killed by signal " + (status - 128) : "it exited with status " + status;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "it closed the connection";
        }
        return lastWords().map(line -> end + "; its last words: " + line).orElse(end);
    }

    @Override
    public Optional<String> lastWords() {
        return log.lastLine();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
