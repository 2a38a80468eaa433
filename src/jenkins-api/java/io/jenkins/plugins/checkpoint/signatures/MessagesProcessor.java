// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.signatures;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.annotation.processing.AbstractProcessor;
import javax.annotation.processing.RoundEnvironment;
import javax.annotation.processing.SupportedAnnotationTypes;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.Element;
import javax.lang.model.element.TypeElement;
import javax.tools.Diagnostic;
import javax.tools.FileObject;
import javax.tools.StandardLocation;

/**
 * Makes a class {@code Messages} beside every {@code Messages.properties}, with the methods that Jenkins' localizer plugin for Maven would
 * give it: for a key {@code Run.Failed} both {@code Run_Failed(Object...)} and {@code _Run_Failed(Object...)}.
 */
@SupportedAnnotationTypes("*")
public final class MessagesProcessor extends AbstractProcessor {
    private static final Pattern ARGUMENT = Pattern.compile("\\{(\\d+)");

    private boolean done;

    @Override
    public SourceVersion getSupportedSourceVersion() {
        return SourceVersion.latestSupported();
    }

    @Override
    public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment round) {
        if (!done) {
            done = true;
            Set<String> packages = new TreeSet<>();
            for (Element element : round.getRootElements()) {
                packages.add(processingEnv.getElementUtils().getPackageOf(element).getQualifiedName().toString());
            }
            packages.forEach(this::generate);
        }
        return false;
    }

    private void generate(String name) {
        Properties texts = new Properties();
        try {
            FileObject file = processingEnv.getFiler().getResource(StandardLocation.CLASS_OUTPUT, name, "Messages.properties");
            try (Reader in = file.openReader(true)) {
                texts.load(in);
            }
        } catch (IOException e) {
            return; // Most packages have none.
        }
        StringBuilder methods = new StringBuilder();
        for (String key : new TreeSet<>(texts.stringPropertyNames())) {
            int count = 0;
            for (Matcher matcher = ARGUMENT.matcher(texts.getProperty(key)); matcher.find();) {
                count = Math.max(count, Integer.parseInt(matcher.group(1)) + 1);
            }
            String method = key.replaceAll("[^A-Za-z0-9]", "_");
            String parameters = IntStream.range(0, count).mapToObj(i -> "Object arg" + i).collect(Collectors.joining(", "));
            String arguments = IntStream.range(0, count).mapToObj(i -> ", arg" + i).collect(Collectors.joining());
            methods.append("    /** {@code ").append(key).append("}. */\n    public static String ").append(method).append('(').append(parameters)
                    .append(") {\n        return HOLDER.format(\"").append(key).append('"').append(arguments).append(");\n    }\n\n")
                    .append("    /** {@code ").append(key).append("}, to be localized later. */\n    public static Localizable _").append(method).append('(').append(parameters)
                    .append(") {\n        return new Localizable(HOLDER, \"").append(key).append('"').append(arguments).append(");\n    }\n\n");
        }
        try (Writer out = processingEnv.getFiler().createSourceFile(name + ".Messages").openWriter()) {
            out.write("package " + name + ";\n\nimport org.jvnet.localizer.Localizable;\nimport org.jvnet.localizer.ResourceBundleHolder;\n\n"
                    + "/** The texts of Messages.properties. */\npublic class Messages {\n"
                    + "    private static final ResourceBundleHolder HOLDER = ResourceBundleHolder.get(Messages.class);\n\n" + methods + "}\n");
        } catch (IOException e) {
            processingEnv.getMessager().printMessage(Diagnostic.Kind.ERROR, "cannot write " + name + ".Messages: " + e.getMessage());
        }
    }
}
