import SoulBoxModel
import Testing

/// Real programs, not only hello, in every language through nginx.
@Suite("Languages", .enabled(if: Host.canRunStack))
struct LanguageTests {
    struct Program: CustomTestStringConvertible {
        let language: String
        let name: String
        let code: String
        let output: String
        var exitCode: Int64 = 0
        var testDescription: String { "\(language): \(name)" }
    }

    static let programs = [
        Program(
            language: "python", name: "numpy and pandas",
            code:
                "import numpy as np, pandas as pd\nprint(np.arange(6).reshape(2,3).sum(axis=0).tolist(), pd.DataFrame({'a':[1,2]}).a.mean())",
            output: "[3, 5, 7] 1.5\n"),
        Program(
            language: "python", name: "threads, subprocesses, multiprocessing",
            code: """
                import threading, subprocess, multiprocessing, sys
                r=[]; ts=[threading.Thread(target=r.append,args=(i,)) for i in range(20)]; [t.start() for t in ts]; [t.join() for t in ts]
                print(len(r), subprocess.check_output(['echo','sub'],text=True).strip())
                with multiprocessing.Pool(2) as p: print(p.map(abs,[-1,-2,3]))
                sys.exit(3)
                """, output: "20 sub\n[1, 2, 3]\n", exitCode: 3),
        Program(
            language: "py", name: "an alias, and TLS",
            code: "import ssl, requests, json\nprint(ssl.OPENSSL_VERSION_INFO[0] >= 3)", output: "True\n"),
        Program(
            language: "nodejs", name: "workers, timers, promises, child processes",
            code: """
                const { Worker } = require('worker_threads'); const { execFileSync } = require('child_process');
                const w = new Worker("require('worker_threads').parentPort.postMessage(6*7)", { eval: true });
                w.on('message', m => { console.log('worker', m); setTimeout(async () => { await null; console.log(execFileSync('echo', ['sub']).toString().trim()); process.exitCode = 4; }, 20); });
                """, output: "worker 42\nsub\n", exitCode: 4),
        Program(
            language: "go", name: "goroutines, generics, channels",
            code: """
                package main
                import ("fmt"; "os"; "sync"; "sort")
                func Map[T, U any](in []T, f func(T) U) []U { out := make([]U, 0, len(in)); for _, v := range in { out = append(out, f(v)) }; return out }
                func main() {
                    var wg sync.WaitGroup; ch := make(chan int, 100)
                    for i := 0; i < 100; i++ { wg.Add(1); go func() { defer wg.Done(); ch <- i }() }
                    wg.Wait(); close(ch); all := []int{}; for v := range ch { all = append(all, v) }; sort.Ints(all)
                    fmt.Println(len(all), all[99], Map([]int{1, 2}, func(i int) string { return fmt.Sprint(i * 2) })); os.Exit(5)
                }
                """, output: "100 99 [2 4]\n", exitCode: 5),
        Program(
            language: "rust", name: "threads, collections, a panic",
            code: """
                use std::collections::HashMap; use std::thread;
                fn main() {
                    let hs: Vec<_> = (0..4u64).map(|i| thread::spawn(move || i * i)).collect();
                    let mut m = HashMap::new(); for h in hs { let v = h.join().unwrap(); m.insert(v, v + 1); }
                    let mut k: Vec<_> = m.into_iter().collect(); k.sort(); println!("{:?}", k); panic!("on purpose");
                }
                """, output: "[(0, 1), (1, 2), (4, 5), (9, 10)]\n", exitCode: 101),
        Program(
            language: "java", name: "threads, records, streams",
            code: """
                import java.util.*; import java.util.concurrent.*; import java.util.stream.*;
                public class Anything {
                    record Point(int x, int y) {}
                    public static void main(String[] a) throws Exception {
                        var pool = Executors.newFixedThreadPool(4);
                        var fs = IntStream.range(0, 8).mapToObj(i -> pool.submit(() -> i * i)).toList();
                        int sum = 0; for (var f : fs) sum += f.get(); pool.shutdown();
                        System.out.println(sum + " " + new Point(1, 2)); System.exit(6);
                    }
                }
                """, output: "140 Point[x=1, y=2]\n", exitCode: 6),
    ]

    @Test(arguments: programs)
    func runs(_ program: Program) async throws {
        let result = try await TestStack.shared.run(program.language, program.code)
        #expect(result["output"]?.stringValue == program.output, "\(result.text)")
        #expect(result["exit_code"]?.integerValue == program.exitCode)
        #expect(result["status"] == "completed" && result["termination"]?["reason"] == "exited")
    }

    @Test(
        "a compile error is told with the compiler's words",
        arguments: [
            ("go", "package main\nfunc main() { undefinedThing() }", "undefinedThing"),
            ("rust", "fn main() { let x: u8 = \"text\"; }", "mismatched types"),
            ("java", "class A { public static void main(String[] a) { int x = \"text\"; } }", "incompatible types"),
        ])
    func compileError(language: String, code: String, words: String) async throws {
        let result = try await TestStack.shared.run(language, code)
        #expect(result["status"] == "failed" && result["termination"]?["reason"] == "compile_error", "\(result.text)")
        #expect(result["compile"]?["output"]?.stringValue?.contains(words) == true, "\(result.text)")
        #expect(result["compile"]?["exit_code"]?.integerValue.map { $0 != 0 } == true)
    }

    @Test(
        "stdin, arguments, environment and files in and out",
        arguments: [
            (
                "python",
                "import sys,os\nopen('out.txt','w').write(sys.stdin.read()+sys.argv[1]+os.environ['GREETING']+open('in.txt').read())"
            ),
            (
                "nodejs",
                "const fs=require('fs'); fs.writeFileSync('out.txt', fs.readFileSync(0,'utf8')+process.argv[2]+process.env.GREETING+fs.readFileSync('in.txt','utf8'))"
            ),
            (
                "go",
                "package main\nimport (\"os\";\"io\")\nfunc main() { i,_ := io.ReadAll(os.Stdin); f,_ := os.ReadFile(\"in.txt\"); os.WriteFile(\"out.txt\", []byte(string(i)+os.Args[1]+os.Getenv(\"GREETING\")+string(f)), 0644) }"
            ),
            (
                "rust",
                "use std::io::Read; fn main() { let mut i=String::new(); std::io::stdin().read_to_string(&mut i).unwrap(); std::fs::write(\"out.txt\", i+&std::env::args().nth(1).unwrap()+&std::env::var(\"GREETING\").unwrap()+&std::fs::read_to_string(\"in.txt\").unwrap()).unwrap(); }"
            ),
            (
                "java",
                "import java.nio.file.*; class M { public static void main(String[] a) throws Exception { Files.writeString(Path.of(\"out.txt\"), new String(System.in.readAllBytes())+a[0]+System.getenv(\"GREETING\")+Files.readString(Path.of(\"in.txt\"))); } }"
            ),
        ])
    func inputsAndOutputs(language: String, code: String) async throws {
        let stack = TestStack.shared
        let result = try await stack.run(
            language, code,
            [
                ("stdin", "S "), ("args", ["A "]), ("environment", ["GREETING": "G "]),
                ("files", [["name": "in.txt", "content": "F"]]),
            ])
        #expect(result["exit_code"] == 0, "\(result.text)")
        let files = result["files_created"]?.arrayValue ?? []
        #expect(files.contains { $0["name"] == "out.txt" && $0["size"] == 7 }, "\(result.text)")
        let id = try #require(result["execution_id"]?.stringValue)
        let file = try await stack.send("GET", "/api/execute/\(id)/files/out.txt")
        #expect(file.status == 200 && file.text == "S A G F")
    }
}
