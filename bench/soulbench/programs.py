"""The programs that are measured, and how each image's own toolchain runs them without SoulBox."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .host import BenchError

IMAGES = Path("/var/cache/soulbox/images/current")
OUTPUT = "Hello"

SOURCES = {
    "python": 'print("Hello")\n',
    "nodejs": 'console.log("Hello");\n',
    "go": 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("Hello") }\n',
    "rust": 'fn main() { println!("Hello"); }\n',
    "java": 'class Main {\n    public static void main(String[] arguments) { System.out.println("Hello"); }\n}\n',
}

# Of the languages that compile nothing, or compile in memory. `-I` leaves out what would look beside the program.
PLAIN = {
    "python": ["/usr/bin/python3", "-I", "/workspace/main.py"],
    "nodejs": ["/usr/bin/node", "/workspace/main.js"],
    "java": ["/usr/bin/java", "/workspace/Main.java"],
}

# What SoulBox sets for every program.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/workspace", "LANG": "C.UTF-8", "TMPDIR": "/tmp"}


@dataclass
class Program:
    """One language's hello."""

    language: str
    source: str
    file: str
    root: Path
    commands: list[list[str]]
    environment: dict[str, str]


def load(language: str) -> Program:
    """Reads how the image compiles and runs, with the numbers that SoulBox puts in for a request without limits."""
    image = IMAGES / f"basic-{language}"
    if not (image / "manifest.json").exists():
        raise BenchError(f"the image basic-{language} is missing  → make images")
    manifest = json.loads((image / "manifest.json").read_text())["program"]
    environment = dict(ENVIRONMENT)
    if language in PLAIN:
        commands = [PLAIN[language]]
    else:
        stage = manifest["compile"]

        def fill(text: str) -> str:
            mebibytes = stage["memory"] >> 20
            for name, value in {
                "{entrypoint}": manifest["file"],
                "{build}": "/tmp/build",
                "{cpus}": "1",
                "{memory_mib:60}": str(mebibytes * 60 // 100),
            }.items():
                text = text.replace(name, value)
            return text

        environment |= {name: fill(value) for name, value in stage["environment"].items()}
        commands = [[fill(word) for word in stage["argv"]], ["/tmp/build/program"]]
    root = (image / "rootfs").resolve()
    return Program(language, SOURCES[language], manifest["file"], root, commands, environment)
