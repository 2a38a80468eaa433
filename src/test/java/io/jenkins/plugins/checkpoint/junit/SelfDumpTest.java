// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_dump_resp;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_resp;
import java.io.IOException;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The messages made by hand are the ones that the protobuf library makes. */
class SelfDumpTest {
    @Test
    void asksForItself() throws IOException {
        String images = "/tmp/" + "x".repeat(200);
        criu_req request = criu_req.parseFrom(SelfDump.request(images, Set.of(CheckpointOption.TCP_CLOSE)));
        assertThat(request.getType()).isEqualTo(criu_req_type.DUMP);
        assertThat(request.getOpts().hasPid()).isFalse();
        assertThat(request.getOpts().getImagesDirFd()).isEqualTo(-1);
        assertThat(request.getOpts().getImagesDir()).isEqualTo(images);
        assertThat(request.getOpts().getLeaveRunning()).isTrue();
        assertThat(request.getOpts().getTcpClose()).isTrue();
        assertThat(request.getOpts().getTcpEstablished()).isFalse();
        assertThat(request.getOpts().getUnknownFields().asMap()).isEmpty();
    }

    @Test
    void understandsTheAnswer() throws IOException {
        criu_resp.Builder response = criu_resp.newBuilder().setType(criu_req_type.DUMP).setSuccess(true).setDump(criu_dump_resp.newBuilder().setRestored(true));
        assertThat(SelfDump.Response.of(response.build().toByteArray())).isEqualTo(new SelfDump.Response(true, true, ""));
        response.setDump(criu_dump_resp.newBuilder().setRestored(false));
        assertThat(SelfDump.Response.of(response.build().toByteArray())).isEqualTo(new SelfDump.Response(true, false, ""));
        response.clearDump().setSuccess(false).setCrErrno(-1).setCrErrmsg("é, no");
        assertThat(SelfDump.Response.of(response.build().toByteArray())).isEqualTo(new SelfDump.Response(false, false, "é, no"));
    }

    @Test
    void refusesNonsense() {
        byte[] response = criu_resp.newBuilder().setType(criu_req_type.DUMP).setSuccess(false).setCrErrmsg("reason").build().toByteArray();
        assertThatThrownBy(() -> SelfDump.Response.of(Arrays.copyOf(response, response.length - 1))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> SelfDump.Response.of(new byte[] {0x4a, -1, -1, -1, -1, 7})).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> SelfDump.Response.of("garbage".getBytes())).isInstanceOf(IOException.class);
    }
}
