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
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import javax.lang.model.element.Modifier;
import javax.lang.model.type.TypeKind;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.ForwardingJavaFileObject;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
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

    /** Keeps nothing of what is compiled. */
    private static final class Nowhere extends ForwardingJavaFileManager<JavaFileManager> {
        Nowhere(JavaFileManager files) {
            super(files);
        }

        @Override
        public JavaFileObject getJavaFileForOutput(Location location, String name, JavaFileObject.Kind kind, FileObject sibling) {
            return new SimpleJavaFileObject(URI.create("memory:///" + name + kind.extension), kind) {
                @Override
                public OutputStream openOutputStream() {
                    return OutputStream.nullOutputStream();
                }
            };
        }
    }

    private Compile() {}

    /**
     * Waits for the program, having compiled another one, so that the compiler's own code is loaded and compiled.
     *
     * <p>SoulBox starts this process before there is anything to compile: it says on descriptor 5 that it waits, and what
     * comes on descriptor 4 says that the workspace has its files.
     */
    private static void awaitWork() throws IOException {
        String sample = Files.readString(Path.of("/usr/lib/soulbox/Sample.java"));
        for (int round = 0; round < 3; round++) {
            JavaFileObject source = new SimpleJavaFileObject(URI.create("memory:///Sample.java"), JavaFileObject.Kind.SOURCE) {
                @Override
                public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                    return sample;
                }
            };
            try (StandardJavaFileManager files =
                    ToolProvider.getSystemJavaCompiler().getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
                ToolProvider.getSystemJavaCompiler()
                        .getTask(null, new Nowhere(files), null, List.of("-proc:none"), null, List.of(source))
                        .call();
            }
        }
        System.gc();
        try (OutputStream ready = new FileOutputStream("/proc/self/fd/5")) {
            ready.write('R');
        }
        try (InputStream work = new FileInputStream("/proc/self/fd/4")) {
            // How long the rest is, which says nothing that this process does not know.
            for (int count = 0; count < 4; count++) {
                if (work.read() < 0) {
                    System.exit(0);
                }
            }
        }
    }

    /** Takes the entry file, relative to the working directory. */
    public static void main(String[] arguments) throws IOException {
        if (System.getenv("SOULBOX_PRESTART") != null) {
            awaitWork();
        }
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
