// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.signatures;

import java.io.IOException;
import java.io.Writer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.annotation.processing.AbstractProcessor;
import javax.annotation.processing.RoundEnvironment;
import javax.annotation.processing.SupportedAnnotationTypes;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.Element;
import javax.lang.model.element.ExecutableElement;
import javax.lang.model.element.TypeElement;
import javax.lang.model.element.VariableElement;
import javax.tools.Diagnostic;
import javax.tools.StandardLocation;
import org.jvnet.hudson.annotation_indexer.Indexed;
import org.kohsuke.stapler.DataBoundConstructor;

/**
 * Writes the two kinds of index that Jenkins' own annotation processors would write and that are not on Maven Central in a version that
 * can be used: {@code META-INF/annotations/ANNOTATION}, one class name a line, for annotations marked {@code @Indexed} ({@code @Symbol} is
 * one), and {@code CLASS.stapler} with the parameter names of the data bound constructor.
 */
@SupportedAnnotationTypes("*")
public final class IndexProcessor extends AbstractProcessor {
    private final Map<String, SortedSet<String>> indexed = new TreeMap<>();
    private final Map<String, String> constructors = new LinkedHashMap<>();

    @Override
    public SourceVersion getSupportedSourceVersion() {
        return SourceVersion.latestSupported();
    }

    @Override
    public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment round) {
        for (TypeElement annotation : annotations) {
            if (annotation.getAnnotation(Indexed.class) != null) {
                for (Element element : round.getElementsAnnotatedWith(annotation)) {
                    indexed.computeIfAbsent(annotation.getQualifiedName().toString(), name -> new TreeSet<>()).add(binaryName(element));
                }
            }
        }
        for (Element element : round.getElementsAnnotatedWith(DataBoundConstructor.class)) {
            List<? extends VariableElement> parameters = ((ExecutableElement) element).getParameters();
            constructors.put(binaryName(element),
                    parameters.stream().map(parameter -> parameter.getSimpleName().toString()).collect(Collectors.joining(",")));
        }
        if (round.processingOver()) {
            indexed.forEach((annotation, classes) -> write("META-INF/annotations/" + annotation, String.join("\n", classes) + "\n"));
            constructors.forEach((type, names) -> write(type.replace('.', '/').replace('$', '/') + ".stapler", "constructor=" + names + "\n"));
        }
        return false;
    }

    private String binaryName(Element element) {
        Element type = element;
        while (!(type instanceof TypeElement)) {
            type = type.getEnclosingElement();
        }
        return processingEnv.getElementUtils().getBinaryName((TypeElement) type).toString();
    }

    private void write(String path, String text) {
        try (Writer out = processingEnv.getFiler().createResource(StandardLocation.CLASS_OUTPUT, "", path).openWriter()) {
            out.write(text);
        } catch (IOException e) {
            processingEnv.getMessager().printMessage(Diagnostic.Kind.ERROR, "cannot write " + path + ": " + e.getMessage());
        }
    }
}
