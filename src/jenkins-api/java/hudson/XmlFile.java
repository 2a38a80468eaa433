// SPDX-License-Identifier: MIT
package hudson;

public final class XmlFile {
    XmlFile() {
        throw new UnsupportedOperationException();
    }
}
