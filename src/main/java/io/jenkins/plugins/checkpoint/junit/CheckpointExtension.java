// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.junit;

import java.lang.reflect.Method;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/** Does what {@link CheckpointAfter} says. */
public final class CheckpointExtension implements InvocationInterceptor, AfterAllCallback {
    @Override
    public void interceptBeforeAllMethod(Invocation<Void> invocation, ReflectiveInvocationContext<Method> method, ExtensionContext context) throws Throwable {
        proceed(invocation, method.getExecutable());
    }

    @Override
    public void interceptBeforeEachMethod(Invocation<Void> invocation, ReflectiveInvocationContext<Method> method, ExtensionContext context) throws Throwable {
        proceed(invocation, method.getExecutable());
    }

    @Override
    public void interceptTestMethod(Invocation<Void> invocation, ReflectiveInvocationContext<Method> method, ExtensionContext context) throws Throwable {
        proceed(invocation, method.getExecutable());
    }

    @Override
    public void interceptTestTemplateMethod(Invocation<Void> invocation, ReflectiveInvocationContext<Method> method, ExtensionContext context) throws Throwable {
        proceed(invocation, method.getExecutable());
    }

    @Override
    public void afterAll(ExtensionContext context) {
        Class<?> type = context.getRequiredTestClass();
        CheckpointAfter wish = type.getDeclaredAnnotation(CheckpointAfter.class);
        if (wish != null) {
            checkpoint(wish, type.getSimpleName());
        }
    }

    private static void proceed(Invocation<Void> invocation, Method method) throws Throwable {
        invocation.proceed();
        CheckpointAfter wish = method.getAnnotation(CheckpointAfter.class);
        if (wish != null) {
            checkpoint(wish, method.getDeclaringClass().getSimpleName() + "." + method.getName());
        }
    }

    private static void checkpoint(CheckpointAfter wish, String name) {
        try {
            Checkpoints.now(wish.value().isEmpty() ? name : wish.value(), wish.options());
        } catch (CheckpointFailedException e) {
            if (wish.required()) {
                throw e;
            }
            System.err.println("Checkpoints: " + e.getMessage());
        }
    }
}
