// What the waiting compiler warms up with: most of the language, and the classes that programs use most.
import java.util.*;
import java.util.concurrent.*;
import java.util.function.*;
import java.util.stream.*;

class Sample {
    sealed interface Shape permits Circle, Square {}
    record Circle(double radius) implements Shape {}
    record Square(double side) implements Shape {}
    enum Color { RED, GREEN }

    static <T extends Comparable<T>> T largest(List<T> items) {
        return items.stream().max(Comparator.naturalOrder()).orElseThrow();
    }

    public static void main(String[] arguments) throws Exception {
        List<Shape> shapes = List.of(new Circle(1), new Square(2));
        for (Shape shape : shapes) {
            double area = switch (shape) {
                case Circle circle -> Math.PI * circle.radius() * circle.radius();
                case Square(double side) -> side * side;
            };
            System.out.printf("%s %.2f%n", shape, area);
        }
        Map<String, Integer> counts = new HashMap<>();
        for (String word : "a b a".split(" ")) counts.merge(word, 1, Integer::sum);
        System.out.println(counts + " " + largest(Arrays.asList(3, 1, 2)));
        try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
            Future<Integer> sum = pool.submit(() -> IntStream.rangeClosed(1, 10).sum());
            System.out.println(sum.get());
        }
        Thread thread = new Thread(() -> System.out.println("thread " + Color.RED));
        thread.start();
        thread.join();
        String text = """
                text block""";
        StringBuilder builder = new StringBuilder();
        int i = 0;
        while (i < 3) builder.append(i++).append(text.charAt(i));
        Function<Integer, Integer> twice = number -> number * 2;
        System.out.println(builder + " " + twice.apply(21) + " " + new Scanner("7").nextInt()
                + shapes.stream().map(Object::toString).collect(Collectors.joining(", ")));
        try {
            throw new IllegalStateException("expected");
        } catch (IllegalStateException failure) {
            System.out.println(failure.getMessage());
        }
    }
}
