// SPDX-License-Identifier: MIT
package net.sf.json;

public final class JSONObject {
    public Object get(String text) {
        throw new UnsupportedOperationException();
    }

    public JSONObject getJSONObject(String text) {
        throw new UnsupportedOperationException();
    }

    public String getString(String text) {
        throw new UnsupportedOperationException();
    }

    public boolean has(String text) {
        throw new UnsupportedOperationException();
    }

    public Object opt(String text) {
        throw new UnsupportedOperationException();
    }

    public boolean optBoolean(String text) {
        throw new UnsupportedOperationException();
    }

    public boolean optBoolean(String text, boolean value) {
        throw new UnsupportedOperationException();
    }

    public int optInt(String text) {
        throw new UnsupportedOperationException();
    }

    public int optInt(String text, int value) {
        throw new UnsupportedOperationException();
    }

    public JSONObject optJSONObject(String text) {
        throw new UnsupportedOperationException();
    }

    public String optString(String text) {
        throw new UnsupportedOperationException();
    }

    public String optString(String text1, String text2) {
        throw new UnsupportedOperationException();
    }

    JSONObject() {
        throw new UnsupportedOperationException();
    }
}
