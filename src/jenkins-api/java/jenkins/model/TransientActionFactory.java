// SPDX-License-Identifier: MIT
package jenkins.model;

import hudson.ExtensionPoint;
import hudson.model.Action;
import java.util.Collection;

public abstract class TransientActionFactory<T> implements ExtensionPoint {
    public TransientActionFactory() {
        throw new UnsupportedOperationException();
    }

    public abstract Class<T> type();

    public Class<? extends Action> actionType() {
        throw new UnsupportedOperationException();
    }

    public abstract Collection<? extends Action> createFor(T value);

    public static Iterable<? extends TransientActionFactory<?>> factoriesFor(Class<?> type1, Class<? extends Action> type2) {
        throw new UnsupportedOperationException();
    }
}
