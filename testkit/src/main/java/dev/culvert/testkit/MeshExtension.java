package dev.culvert.testkit;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ClassTemplateInvocationContext;
import org.junit.jupiter.api.extension.ClassTemplateInvocationContextProvider;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/// Makes one run of a class for each backend and family, and a mesh for each test.
final class MeshExtension implements ClassTemplateInvocationContextProvider {
    @Override
    public boolean supportsClassTemplate(ExtensionContext context) {
        return AnnotationSupport.isAnnotated(context.getRequiredTestClass(), MeshTest.class);
    }

    @Override
    public Stream<ClassTemplateInvocationContext> provideClassTemplateInvocationContexts(ExtensionContext context) {
        var wanted = AnnotationSupport.findAnnotation(context.getRequiredTestClass(), MeshTest.class)
                .orElseThrow();
        return Arrays.stream(wanted.backends())
                .flatMap(backend -> Arrays.stream(wanted.families()).map(family -> new Run(backend, family)));
    }

    private record Run(BackendKind backend, Family family) implements ClassTemplateInvocationContext {
        @Override
        public String getDisplayName(int invocation) {
            return backend + " " + family;
        }

        @Override
        public List<Extension> getAdditionalExtensions() {
            return List.of(new MeshOfATest(this));
        }
    }

    private record MeshOfATest(Run run) implements ParameterResolver, AfterEachCallback {
        private static final Namespace NAMESPACE = Namespace.create(MeshOfATest.class);

        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == Mesh.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return context.getStore(NAMESPACE).computeIfAbsent(Mesh.class, _ -> start());
        }

        private Mesh start() {
            try {
                return Mesh.start(run.backend, run.family);
            } catch (IOException e) {
                throw new AssertionError(e.getMessage(), e);
            }
        }

        @Override
        public void afterEach(ExtensionContext context) {
            var mesh = context.getStore(NAMESPACE).remove(Mesh.class, Mesh.class);
            if (mesh != null) {
                mesh.close();
            }
        }
    }
}
