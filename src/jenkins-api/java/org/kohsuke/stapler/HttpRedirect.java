// SPDX-License-Identifier: MIT
package org.kohsuke.stapler;

public final class HttpRedirect extends RuntimeException implements HttpResponse {
    public HttpRedirect(String text) {
        throw new UnsupportedOperationException();
    }

    public HttpRedirect(int value, String text) {
        throw new UnsupportedOperationException();
    }
}
