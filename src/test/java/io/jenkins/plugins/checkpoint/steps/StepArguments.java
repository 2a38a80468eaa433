// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;

/** Makes a step of named arguments, as Jenkins does: by its data bound constructor and setters. */
final class StepArguments {
    private StepArguments() {}

    static <T extends CheckpointStep> T bind(Class<T> type, Map<String, Object> arguments) throws ReflectiveOperationException {
        Map<String, Object> left = new HashMap<>(arguments);
        Constructor<?> constructor = Arrays.stream(type.getConstructors()).filter(one -> one.isAnnotationPresent(DataBoundConstructor.class)).findFirst().orElseThrow();
        Object[] values = Arrays.stream(constructor.getParameters()).map(parameter -> left.remove(parameter.getName())).toArray();
        T step = type.cast(constructor.newInstance(values));
        for (Map.Entry<String, Object> argument : left.entrySet()) {
            setter(type, argument.getKey()).invoke(step, argument.getValue());
        }
        return step;
    }

    static Method setter(Class<?> type, String name) {
        String wanted = "set" + Character.toUpperCase(name.charAt(0)) + name.substring(1);
        return Arrays.stream(type.getMethods()).filter(method -> method.getName().equals(wanted) && method.isAnnotationPresent(DataBoundSetter.class)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException(type.getSimpleName() + " has no option " + name));
    }

    static Collection<Class<? extends CheckpointStep>> steps() {
        return List.of(CheckpointRunStep.class, CheckpointRestoreStep.class, CheckpointDumpStep.class);
    }
}
