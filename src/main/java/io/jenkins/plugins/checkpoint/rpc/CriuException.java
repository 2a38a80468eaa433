// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.rpc;

import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_resp;
import java.io.IOException;

/** A request that the service or its engine answered with {@code success = false}. */
public final class CriuException extends IOException {
    private static final long serialVersionUID = 1L;

    private final transient criu_resp response;

    CriuException(criu_req_type asked, criu_resp response) {
        super(asked + " failed: " + reason(response));
        this.response = response;
    }

    private static String reason(criu_resp response) {
        if (response.hasCrErrmsg()) {
            return response.getCrErrmsg();
        }
        return (response.hasCrErrno() ? Errno.nameOf(response.getCrErrno()) + ", " : "") + "no reason given; see the engine's log in the images directory";
    }

    /**
     * The whole answer.
     *
     * @return the response
     */
    public criu_resp response() {
        return response;
    }
}
