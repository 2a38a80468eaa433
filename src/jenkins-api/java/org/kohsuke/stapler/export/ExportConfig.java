// SPDX-License-Identifier: MIT
package org.kohsuke.stapler.export;

public class ExportConfig {
    ExportConfig() {
        throw new UnsupportedOperationException();
    }
}
