// SPDX-License-Identifier: MIT
package hudson.util;

import hudson.model.Run;
import java.util.AbstractList;
import java.util.Iterator;
import java.util.function.Predicate;

public class RunList<R extends Run> extends AbstractList<R> {
    public Iterator<R> iterator() {
        throw new UnsupportedOperationException();
    }

    public int size() {
        throw new UnsupportedOperationException();
    }

    public R get(int value) {
        throw new UnsupportedOperationException();
    }

    public RunList<R> filter(Predicate<R> predicate) {
        throw new UnsupportedOperationException();
    }

    public RunList<R> filter(com.google.common.base.Predicate<R> predicate) {
        throw new UnsupportedOperationException();
    }

    public RunList<R> limit(int value) {
        throw new UnsupportedOperationException();
    }

    public RunList<R> newBuilds() {
        throw new UnsupportedOperationException();
    }

    RunList() {
        throw new UnsupportedOperationException();
    }
}
