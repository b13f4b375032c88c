package dev.culvert.testkit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.ClassTemplate;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/// Runs each test of a class once on each backend with each family, with a [Mesh] of its own as parameter,
/// and fails it if something is left behind. Nothing is skipped: without the rights for NETNS the tests fail
/// and say what to do.
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ClassTemplate
@ExtendWith(MeshExtension.class)
@Timeout(120)
public @interface MeshTest {
    BackendKind[] backends() default {BackendKind.IN_PROCESS, BackendKind.NETNS};

    Family[] families() default {Family.DUAL};
}
