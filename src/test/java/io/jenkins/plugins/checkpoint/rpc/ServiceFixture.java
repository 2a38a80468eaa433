// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import io.jenkins.plugins.checkpoint.TestProcess;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_resp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;

/** Engines out of shell scripts, for a service that must cope with them; and single packets to and from a service. */
final class ServiceFixture {
    private ServiceFixture() {}

    /** An executable script. */
    static Path script(Path directory, String name, String text) throws IOException {
        Path script = Files.writeString(directory.resolve(name), "#!" + interpreter() + "\nimport os, sys, socket, time\n" + text);
        return Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static String interpreter() {
        return TestProcess.PYTHON.startsWith("/") ? TestProcess.PYTHON : "/usr/bin/env " + TestProcess.PYTHON;
    }

    /** An engine that answers every request with success, of the same type, as swrk does. */
    static Path echo(Path directory) throws IOException {
        return script(directory, "echo", "s = socket.socket(fileno=0)\nwhile True:\n    m = s.recv(99999)\n    if not m: break\n    s.send(m[:2] + bytes([16, 1]))\n");
    }

    static SeqPacketSocket connect(CriuService service) throws IOException {
        return SeqPacketSocket.connect(service.address());
    }

    static criu_resp ask(SeqPacketSocket socket, byte[] packet) throws IOException {
        socket.send(packet);
        return criu_resp.parseFrom(socket.receive(Duration.ofSeconds(60)));
    }

    static criu_resp ask(CriuService service, criu_req request) throws IOException {
        try (SeqPacketSocket socket = connect(service)) {
            return ask(socket, request.toByteArray());
        }
    }
}
