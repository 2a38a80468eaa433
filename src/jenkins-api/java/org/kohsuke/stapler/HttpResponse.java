// SPDX-License-Identifier: MIT
package org.kohsuke.stapler;

import jakarta.servlet.ServletException;
import java.io.IOException;

public interface HttpResponse {
    default void generateResponse(StaplerRequest2 staplerRequest2, StaplerResponse2 staplerResponse2, Object object) throws IOException, ServletException {
        throw new UnsupportedOperationException();
    }

    default void generateResponse(StaplerRequest staplerRequest, StaplerResponse staplerResponse, Object object) throws IOException {
        throw new UnsupportedOperationException();
    }
}
