// SPDX-License-Identifier: MIT
package org.kohsuke.stapler;

public class ForwardToView extends RuntimeException implements HttpResponse {
    ForwardToView() {
        throw new UnsupportedOperationException();
    }
}
