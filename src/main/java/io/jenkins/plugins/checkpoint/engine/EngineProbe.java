// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.engine;

import io.jenkins.plugins.checkpoint.rpc.Engine;
import io.jenkins.plugins.checkpoint.rpc.EngineClient;
import io.jenkins.plugins.checkpoint.rpc.EngineSession;
import io.jenkins.plugins.checkpoint.rpc.RefusedException;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_resp;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * What an engine answered when it was asked once whether it can work here.
 *
 * @param engine who was asked
 * @param works whether it said yes
 * @param finding its answer, for people
 */
record EngineProbe(Engine engine, boolean works, String finding) {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** Asks an engine for its CHECK, in a process of its own. */
    static EngineProbe of(Engine engine) {
        try (EngineSession session = engine.open(EngineClient.self())) {
            session.send(criu_req.newBuilder().setType(criu_req_type.CHECK).build());
            CompletableFuture<byte[]> answer = CompletableFuture.supplyAsync(() -> receive(session));
            byte[] packet = answer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            return packet.length == 0 ? new EngineProbe(engine, false, session.howItEnded()) : judge(engine, session, criu_resp.parseFrom(packet));
        } catch (TimeoutException e) {
            return new EngineProbe(engine, false, "it gave no answer within " + PATIENCE.toSeconds() + " s");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new EngineProbe(engine, false, "interrupted");
        } catch (IOException | RefusedException | ExecutionException e) {
            return new EngineProbe(engine, false, String.valueOf(e.getMessage()));
        }
    }

    private static byte[] receive(EngineSession session) {
        try {
            return session.receive();
        } catch (IOException e) {
            return new byte[0];
        }
    }

    private static EngineProbe judge(Engine engine, EngineSession session, criu_resp response) {
        if (response.getSuccess()) {
            return new EngineProbe(engine, true, "it can dump and restore here");
        }
        String reason = response.hasCrErrmsg() ? response.getCrErrmsg() : session.lastWords().orElse(null);
        return new EngineProbe(engine, false, reason == null ? "it says no, without a reason (criu check may tell)" : "it says no: " + reason);
    }

    @Override
    public String toString() {
        return engine.name() + ": " + finding;
    }
}
