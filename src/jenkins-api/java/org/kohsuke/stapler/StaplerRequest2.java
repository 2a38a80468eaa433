// SPDX-License-Identifier: MIT
package org.kohsuke.stapler;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.ServletException;
import java.lang.reflect.Type;
import net.sf.json.JSONObject;

public interface StaplerRequest2 extends HttpServletRequest {
    String getRestOfPath();
    String getRootPath();
    <T> T findAncestorObject(Class<T> type);
    String getOriginalRequestURI();
    <T> T bindJSON(Class<T> type, JSONObject jSONObject);
    <T> T bindJSON(Type type1, Class<T> type2, Object object);
    void bindJSON(Object object, JSONObject jSONObject);
    JSONObject getSubmittedForm() throws ServletException;
}
