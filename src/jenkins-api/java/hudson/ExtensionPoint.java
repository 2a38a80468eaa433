// SPDX-License-Identifier: MIT
package hudson;

public interface ExtensionPoint {
}
