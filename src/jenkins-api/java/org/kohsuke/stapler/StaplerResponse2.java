// SPDX-License-Identifier: MIT
package org.kohsuke.stapler;

import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.ServletException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import org.kohsuke.stapler.export.ExportConfig;

public interface StaplerResponse2 extends HttpServletResponse {
    void forward(Object object, String text, StaplerRequest2 staplerRequest2) throws ServletException, IOException;
    void sendRedirect2(String text) throws IOException;
    void sendRedirect(int value, String text) throws IOException;
    void serveFile(StaplerRequest2 staplerRequest2, URL uRL) throws ServletException, IOException;
    void serveFile(StaplerRequest2 staplerRequest2, URL uRL, long value) throws ServletException, IOException;
    void serveFile(StaplerRequest2 staplerRequest2, InputStream inputStream, long value1, long value2, long value3, String text) throws ServletException, IOException;
    void serveFile(StaplerRequest2 staplerRequest2, InputStream inputStream, long value1, long value2, int value3, String text) throws ServletException, IOException;
    void serveFile(StaplerRequest2 staplerRequest2, InputStream inputStream, long value1, long value2, String text) throws ServletException, IOException;
    void serveFile(StaplerRequest2 staplerRequest2, InputStream inputStream, long value1, int value2, String text) throws ServletException, IOException;
}
