// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The fields of a {@code criu_opts} message by their camelCase names: {@code tcp_established} is {@code tcpEstablished}. */
public final class RpcOptions {
    // What the plugin itself decides, and what would let a job make the engine run commands or open connections.
    private static final Set<String> OURS = Set.of("imagesDirFd", "imagesDir", "pid", "logFile", "workDirFd", "parentImg", "trackMem", "notifyScripts",
            "execCmd", "statusFd", "pidfdStoreSk", "configFile", "ps", "inheritFd", "lazyPages", "logToStderr", "displayStats", "leaveRunning", "leaveStopped", "rstSibling");

    private RpcOptions() {}

    /**
     * The names that a step may give.
     *
     * @return camelCase names
     */
    public static Set<String> names() {
        Set<String> names = new TreeSet<>();
        for (FieldDescriptor field : criu_opts.getDescriptor().getFields()) {
            if (!OURS.contains(field.getJsonName()) && field.getJavaType() != FieldDescriptor.JavaType.MESSAGE) {
                names.add(field.getJsonName());
            }
        }
        return names;
    }

    /**
     * Says whether an option is true or false.
     *
     * @param name one of {@link #names}
     */
    public static boolean isFlag(String name) {
        return criu_opts.getDescriptor().getFields().stream()
                .anyMatch(field -> field.getJsonName().equals(name) && field.getJavaType() == FieldDescriptor.JavaType.BOOLEAN);
    }

    /**
     * Sets options.
     *
     * @param options where
     * @param values strings, whole numbers, booleans, or collections of strings, by camelCase name
     * @throws AgentException if there is no such option, or it takes something else
     */
    static void apply(criu_opts.Builder options, Map<String, Object> values) throws AgentException {
        for (Map.Entry<String, Object> entry : values.entrySet()) {
            FieldDescriptor field = find(options.getDescriptorForType(), entry.getKey());
            try {
                if (field.isRepeated()) {
                    for (Object item : (Collection<?>) entry.getValue()) {
                        options.addRepeatedField(field, item);
                    }
                } else {
                    options.setField(field, convert(field, entry.getValue()));
                }
            } catch (ClassCastException | IllegalArgumentException e) {
                throw new AgentException("option " + entry.getKey() + " takes " + (field.isRepeated() ? "a list of " : "") + kind(field) + ", not " + entry.getValue());
            }
        }
    }

    private static FieldDescriptor find(Descriptor type, String name) throws AgentException {
        for (FieldDescriptor field : type.getFields()) {
            if (field.getJsonName().equals(name) && names().contains(name)) {
                return field;
            }
        }
        throw new AgentException("there is no dump option " + name + "; these are known: " + String.join(", ", names()));
    }

    private static Object convert(FieldDescriptor field, Object value) {
        return switch (field.getJavaType()) {
            case INT -> ((Number) value).intValue();
            case LONG -> ((Number) value).longValue();
            case ENUM -> {
                EnumValueDescriptor found = field.getEnumType().findValueByName(value.toString().toUpperCase(Locale.ROOT));
                if (found == null) {
                    throw new IllegalArgumentException();
                }
                yield found;
            }
            default -> value;
        };
    }

    private static String kind(FieldDescriptor field) {
        return switch (field.getJavaType()) {
            case INT, LONG -> "a whole number";
            case BOOLEAN -> "true or false";
            case ENUM -> "one of " + String.join(", ", field.getEnumType().getValues().stream().map(EnumValueDescriptor::getName).toList());
            default -> "text";
        };
    }
}
