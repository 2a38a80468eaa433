// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_dump_resp;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_resp;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_restore_resp;

/** From packets to requests, and from refusals to responses. */
final class Requests {
    private Requests() {}

    /**
     * Decodes a request.
     *
     * @param packet one packet
     * @return the request; every required field is there
     * @throws RefusedException if it is none; the message says in what way
     */
    static criu_req parse(byte[] packet) throws RefusedException {
        if (packet.length == 0) {
            throw new RefusedException(Errno.EBADRQC, "empty request: expected a criu_req in one packet");
        }
        criu_req request;
        try {
            request = criu_req.parser().parsePartialFrom(packet);
        } catch (InvalidProtocolBufferException e) {
            throw new RefusedException(Errno.EBADRQC, "request of " + packet.length + " bytes is not a criu_req: " + e.getMessage());
        }
        if (!request.hasType()) {
            // A value that the enum does not know lands among the unknown fields.
            UnknownFieldSet.Field type = request.getUnknownFields().getField(criu_req.TYPE_FIELD_NUMBER);
            throw new RefusedException(Errno.EBADRQC, type.getVarintList().isEmpty()
                    ? "request of " + packet.length + " bytes is not a criu_req: it has no type"
                    : "unknown request type " + type.getVarintList().get(0));
        }
        if (request.getType() == criu_req_type.EMPTY || request.getType() == criu_req_type.NOTIFY) {
            throw new RefusedException(Errno.EBADRQC, "request type " + request.getType() + " asks for nothing");
        }
        if (!request.isInitialized()) {
            throw new RefusedException(Errno.EBADRQC, request.getType() + " request lacks " + String.join(", ", request.findInitializationErrors()));
        }
        return request;
    }

    /**
     * Makes a response that says no.
     *
     * @param type the request's type; EMPTY when there was no understandable request
     * @param errno why, as a number
     * @param message why, in one line
     */
    static criu_resp failure(criu_req_type type, Errno errno, String message) {
        criu_resp.Builder response = criu_resp.newBuilder().setType(type).setSuccess(false).setCrErrno(errno.number()).setCrErrmsg(message);
        // As CRIU does: some clients read these without asking whether they are there.
        if (type == criu_req_type.DUMP) {
            response.setDump(criu_dump_resp.newBuilder().setRestored(false));
        } else if (type == criu_req_type.RESTORE) {
            response.setRestore(criu_restore_resp.newBuilder().setPid(-1));
        }
        return response.build();
    }
}
