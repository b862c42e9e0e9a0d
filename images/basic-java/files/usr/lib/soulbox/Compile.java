package soulbox;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.PrimitiveTypeTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TaskEvent;
import com.sun.source.util.TaskListener;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import javax.lang.model.element.Modifier;
import javax.lang.model.type.TypeKind;
import javax.tools.ForwardingJavaFileObject;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Compiles a program of the workspace into the directory SOULBOX_BUILD and writes the file that starts it.
 *
 * <p>It is more than a call of javac because the text of a program is stored as one file whatever its public class is
 * called, and because only the compiler knows which class has the main method.
 */
public final class Compile {
    private static final Path OUTPUT = Path.of(System.getenv().getOrDefault("SOULBOX_BUILD", "/tmp/build"));

    /** The entry file, which may hold a public class of any name. */
    private static final class EntryFile extends ForwardingJavaFileObject<JavaFileObject> {
        EntryFile(JavaFileObject file) {
            super(file);
        }

        @Override
        public boolean isNameCompatible(String simpleName, Kind kind) {
            return kind == Kind.SOURCE;
        }
    }

    /** Notes the entry file's first class that has a main method, or else its first class. */
    private static final class MainClass implements TaskListener {
        private final JavaFileObject entry;
        private String first;
        private String found;

        MainClass(JavaFileObject entry) {
            this.entry = entry;
        }

        String name() {
            return found == null ? first : found;
        }

        @Override
        public void finished(TaskEvent event) {
            if (event.getKind() != TaskEvent.Kind.PARSE || !event.getSourceFile().toUri().equals(entry.toUri())) {
                return;
            }
            CompilationUnitTree unit = event.getCompilationUnit();
            String prefix = unit.getPackageName() == null ? "" : unit.getPackageName() + ".";
            for (Tree declaration : unit.getTypeDecls()) {
                if (declaration instanceof ClassTree type && !type.getSimpleName().isEmpty()) {
                    String name = prefix + type.getSimpleName();
                    if (first == null) {
                        first = name;
                    }
                    if (found == null && type.getMembers().stream().anyMatch(member -> isMain(type, member))) {
                        found = name;
                    }
                }
            }
        }

        private static boolean isMain(ClassTree type, Tree member) {
            return member instanceof MethodTree method
                    && method.getName().contentEquals("main")
                    && method.getParameters().size() == 1
                    && method.getModifiers().getFlags().contains(Modifier.STATIC)
                    && (type.getKind() == Tree.Kind.INTERFACE
                            || method.getModifiers().getFlags().contains(Modifier.PUBLIC))
                    && method.getReturnType() instanceof PrimitiveTypeTree result
                    && result.getPrimitiveTypeKind() == TypeKind.VOID;
        }
    }

    private Compile() {}

    /** Takes the entry file, relative to the working directory. */
    public static void main(String[] arguments) throws IOException {
        PrintWriter messages = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        Path entry = Path.of(arguments[0]).normalize();
        if (!Files.isRegularFile(entry)) {
            messages.println("error: file not found: " + entry);
            System.exit(1);
        }
        Files.createDirectories(OUTPUT);
        String classPath = OUTPUT + archives();
        boolean compiled;
        MainClass mainClass;
        try (StandardJavaFileManager files =
                ToolProvider.getSystemJavaCompiler().getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
            List<JavaFileObject> sources = new ArrayList<>();
            JavaFileObject entryFile = new EntryFile(files.getJavaFileObjects(entry).iterator().next());
            sources.add(entryFile);
            files.getJavaFileObjectsFromPaths(otherSources(entry)).forEach(sources::add);
            // No -sourcepath: javac would look for sources on the class path, and find them all given already.
            List<String> options =
                    List.of("-proc:none", "-implicit:none", "-d", OUTPUT.toString(), "-cp", classPath);
            JavacTask task = (JavacTask)
                    ToolProvider.getSystemJavaCompiler().getTask(messages, files, null, options, null, sources);
            mainClass = new MainClass(entryFile);
            task.addTaskListener(mainClass);
            compiled = task.call();
        }
        messages.flush();
        if (compiled && mainClass.name() == null) {
            messages.println("error: no class in " + entry);
            compiled = false;
        }
        if (!compiled) {
            System.exit(1);
        }
        Files.writeString(OUTPUT.resolve("launch"), "-cp \"" + classPath + "\"\n" + mainClass.name() + "\n");
    }

    /** The workspace's other sources, so that classes found by name at run time are there too. */
    private static List<Path> otherSources(Path entry) throws IOException {
        return workspace(".java").filter(path -> !path.equals(entry)).toList();
    }

    /** The workspace itself, for resources, and the archives in it, each with a separator before it. */
    private static String archives() throws IOException {
        StringBuilder paths = new StringBuilder(File.pathSeparator).append(Path.of("").toAbsolutePath());
        workspace(".jar").forEach(path -> paths.append(File.pathSeparator).append(path.toAbsolutePath()));
        return paths.toString();
    }

    private static Stream<Path> workspace(String suffix) throws IOException {
        try (Stream<Path> paths = Files.walk(Path.of(""))) {
            return paths
                    .filter(path -> path.toString().endsWith(suffix) && Files.isRegularFile(path))
                    // What a hidden directory holds is no part of the program: other programs' texts among it.
                    .filter(path -> StreamSupport.stream(path.spliterator(), false)
                            .noneMatch(segment -> segment.toString().startsWith(".")))
                    .sorted()
                    .toList()
                    .stream();
        }
    }
}
