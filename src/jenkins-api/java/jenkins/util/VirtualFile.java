// SPDX-License-Identifier: MIT
package jenkins.util;

import hudson.FilePath;
import hudson.remoting.Callable;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.net.URI;
import java.net.URL;
import java.nio.file.OpenOption;
import java.util.Collection;
import java.util.List;

public abstract class VirtualFile implements Comparable<VirtualFile>, Serializable {
    public VirtualFile() {
        throw new UnsupportedOperationException();
    }

    public abstract String getName();
    public abstract URI toURI();
    public abstract VirtualFile getParent();
    public abstract boolean isDirectory() throws IOException;
    public abstract boolean isFile() throws IOException;

    public String readLink() throws IOException {
        throw new UnsupportedOperationException();
    }

    public abstract boolean exists() throws IOException;
    public abstract VirtualFile[] list() throws IOException;

    public VirtualFile[] list(OpenOption[] openOptions) throws IOException {
        throw new UnsupportedOperationException();
    }

    public boolean supportsQuickRecursiveListing() {
        throw new UnsupportedOperationException();
    }

    public boolean hasSymlink(OpenOption[] openOptions) throws IOException {
        throw new UnsupportedOperationException();
    }

    public List<VirtualFile> listOnlyDescendants() throws IOException {
        throw new UnsupportedOperationException();
    }

    public String[] list(String text) throws IOException {
        throw new UnsupportedOperationException();
    }

    public Collection<String> list(String text1, String text2, boolean value) throws IOException {
        throw new UnsupportedOperationException();
    }

    public Collection<String> list(String text1, String text2, boolean value, OpenOption[] openOptions) throws IOException {
        throw new UnsupportedOperationException();
    }

    public boolean containsSymLinkChild(OpenOption[] openOptions) throws IOException {
        throw new UnsupportedOperationException();
    }

    public boolean containsTmpDirChild(OpenOption[] openOptions) throws IOException {
        throw new UnsupportedOperationException();
    }

    public int zip(OutputStream outputStream, String text1, String text2, boolean value, String text3, OpenOption[] openOptions) throws IOException {
        throw new UnsupportedOperationException();
    }

    public abstract VirtualFile child(String text);
    public abstract long length() throws IOException;
    public abstract long lastModified() throws IOException;

    public int mode() throws IOException {
        throw new UnsupportedOperationException();
    }

    public abstract boolean canRead() throws IOException;
    public abstract InputStream open() throws IOException;

    public InputStream open(OpenOption[] openOptions) throws IOException {
        throw new UnsupportedOperationException();
    }

    public final int compareTo(VirtualFile virtualFile) {
        throw new UnsupportedOperationException();
    }

    public final boolean equals(Object object) {
        throw new UnsupportedOperationException();
    }

    public final int hashCode() {
        throw new UnsupportedOperationException();
    }

    public final String toString() {
        throw new UnsupportedOperationException();
    }

    public <V> V run(Callable<V, IOException> callable) throws IOException {
        throw new UnsupportedOperationException();
    }

    public URL toExternalURL() throws IOException {
        throw new UnsupportedOperationException();
    }

    public boolean supportIsDescendant() {
        throw new UnsupportedOperationException();
    }

    public boolean isDescendant(String text) throws IOException {
        throw new UnsupportedOperationException();
    }

    public static VirtualFile forFile(File file) {
        throw new UnsupportedOperationException();
    }

    public static VirtualFile forFilePath(FilePath filePath) {
        throw new UnsupportedOperationException();
    }
}
