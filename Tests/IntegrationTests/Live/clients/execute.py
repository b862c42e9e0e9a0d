"""What a client does with `/ws/execute` in good order."""

import base64
import json
import time

from common import *

COUNTING = "import time\nfor i in range(5):\n    print(f'Count: {i}')\n    time.sleep(1)"


def reference():
    """The example of the reference, with the import that it lacks."""
    with link() as connection:
        say(connection, type="execute", language="python", code=COUNTING, timeout=30)
        heard = until_last(connection)
        return {"messages": heard, "differences": differences(heard)}


ECHO = "import sys\nprint('ready')\nfor line in sys.stdin:\n    print(line.strip().upper())\nprint('end')"
HEX = "import sys\nprint(sys.stdin.buffer.read().hex())"
TERM = """import signal, sys, time
def end(number, frame):
    print('got', signal.Signals(number).name)
    sys.exit(3)
signal.signal(signal.SIGTERM, end)
print('ready')
while True: time.sleep(0.02)"""
SLEEP = "import time\nprint('ready')\ntime.sleep(60)"
# It looks again and again: a signal that comes between a look and a call that waits is handled after that call alone.
SIZE = """import os, signal, time
sizes = []
signal.signal(signal.SIGWINCH, lambda *_: sizes.append(os.get_terminal_size()))
print(sorted(os.isatty(i) for i in range(3)), os.get_terminal_size())
while not sizes: time.sleep(0.02)
print(sizes[0])
print(input())"""
BYTES = "import sys\nsys.stdout.buffer.write(b'\\xff\\x00\\n')\nsys.stderr.write('h\\u00e9\\n')"


def is_ready(message):
    return message["type"] == "output" and "ready" in message["data"]


def controls():
    """Input, its end, signals, a terminal that changes, an end on request; one after the other on one connection."""
    runs = {}
    with link() as connection:

        def run(name, code, *steps, **more):
            execute(connection, code, **more)
            heard = until(connection, is_ready) if "ready" in code else []
            for step in steps:
                say(connection, **step)
            heard += until_last(connection)
            runs[name] = {"messages": heard, "differences": differences(heard), "text": printed(heard).decode(errors="replace")}

        run("lines", ECHO, {"type": "stdin", "data": "one\n"}, {"type": "stdin", "data": "zwölf\n"}, {"type": "close_stdin"})
        given = base64.b64encode(b"\xff\x00\xfe").decode()
        run("bytes", HEX, {"type": "stdin", "data": given, "encoding": "base64"}, {"type": "close_stdin"})
        run("whole", HEX, stdin="abc")
        run("term", TERM, {"type": "signal", "signal": "SIGTERM"})
        # Before anybody knows whether the program runs.
        run("at_once", "import time\ntime.sleep(20)", {"type": "signal", "signal": "SIGTERM"}, timeout=10)
        run("kill", SLEEP, {"type": "signal", "signal": 9})
        run("cancel", SLEEP, {"type": "cancel"})
        run("deadline", SLEEP, timeout=1)
        run("binary", BYTES)
        execute(connection, SIZE, pty={"rows": 30, "columns": 100}, id="terminal")
        heard = until(connection, lambda m: "lines=30" in m.get("data", ""))
        say(connection, type="resize", rows=50, columns=132)
        heard += until(connection, lambda m: "lines=50" in m.get("data", ""))
        say(connection, type="stdin", data="typed\n")
        heard += until_last(connection)
        runs["pty"] = {"messages": heard, "differences": differences(heard), "text": printed(heard).decode()}
    return runs


def several():
    """Eight at once by their names, then three in turn without."""
    code = "import sys, time\nfor i in range(20):\n    print(sys.argv[1], i)\n    time.sleep(0.02)\nprint(input())"
    with link() as connection:
        names = [f"n{i}" for i in range(6)] + [6, 7]
        for name in names:
            execute(connection, code, id=name, args=[str(name)])
        heard, answered = [], set()
        while sum(m["type"] in LAST for m in heard) < len(names):
            heard.append(hear(connection))
            name = heard[-1].get("id")
            if heard[-1]["type"] == "started" and name not in answered:
                answered.add(name)
                which = {"id": name} if len(answered) % 2 else {"execution_id": heard[-1]["execution_id"]}
                say(connection, type="stdin", data=f"for {name}\n", **which)
        runs = {str(name): [m for m in heard if m.get("id") == name] for name in names}
        overlap = len({m["id"] for m in heard[: next(i for i, m in enumerate(heard) if m["type"] in LAST)]})
        outcome = {
            name: {
                "text": printed(messages).decode(), "types": [m["type"] for m in messages],
                "differences": differences(messages)} for name, messages in runs.items()
        }
        in_turn = []
        for number in range(3):
            execute(connection, f"print({number})")
            in_turn += until_last(connection)
        # Nothing comes after the last message.
        try:
            after = [hear(connection, 0.5)]
        except TimeoutError:
            after = []
        return {"runs": outcome, "overlap": overlap, "in_turn": in_turn, "after": after, "all": len(heard)}


def refused():
    """Messages that are wrong, each with what is answered, and what POST answers to the same."""
    fields = [
        {"language": "cobol", "code": "x"}, {"language": "python"}, {"language": "python", "code": "x", "timeout": 0},
        {"language": "python", "code": "x", "memory_limit": "1"}, {"language": "python", "code": "x", "surprise": 1},
        {"language": 5, "code": []}, {"language": "python", "code": "x", "files": [{"name": "../x", "content": ""}]},
        {"sandbox_id": "sb_00000000000000000000000000", "code": "x"}, {"template": "nowhere", "code": "x"},
    ]
    outcome = {"like_rest": [], "own": []}
    with link() as connection:
        for body in fields:
            say(connection, type="execute", id="x", **body)
            told = hear(connection)
            status, _, answer = rest("POST", "/api/execute", body)
            wanted = answer["error"]
            for error in (told.get("error", {}), wanted):
                error.pop("request_id", None)
            outcome["like_rest"].append(
                {"body": body, "told": told, "status": status, "wanted": wanted, "same": told.get("error") == wanted})
        own = [
            "{", "[]", "1", '"x"', "{}", '{"type":"nothing"}', '{"type":"execute","id":{}}',
            json.dumps({"type": "execute", "id": "n" * 129, "language": "python", "code": "x"}),
            '{"type":"execute","language":"python","code":"x","async":true}',
            '{"type":"execute","language":"python","code":"x","pty":3}',
            '{"type":"execute","language":"python","code":"x","pty":{"rows":0}}',
            '{"type":"stdin","data":"x"}', '{"type":"signal","signal":"SIGTERM","execution_id":"exec_x"}',
            '{"type":"attach"}', '{"type":"attach","execution_id":"exec_nonsense"}',
            '{"type":"attach","execution_id":"exec_nonsense","from_sequence":0}',
            '{"type":"cancel","surprise":1}', '{"type":"execute","type":"execute"}', "[" * 5000, "",
        ]
        for text in own:
            connection.send(text)
            told = hear(connection)
            outcome["own"].append({"sent": text[:60], "told": told})
        execute(connection, SLEEP, id="one")
        heard = until(connection, is_ready)
        for message in (
            {"type": "execute", "language": "python", "code": "x", "id": "one"}, {"type": "signal", "signal": "SIGNOPE"},
            {"type": "signal", "signal": 65}, {"type": "stdin"}, {"type": "stdin", "data": "*", "encoding": "base64"},
            {"type": "stdin", "data": "x", "encoding": "utf-16"}, {"type": "resize", "rows": 1001},
            {"type": "stdin", "data": "x" * 1_100_000},
            {"type": "attach", "execution_id": heard[-1]["execution_id"]},
        ):
            say(connection, **message)
            outcome["own"].append({"sent": json.dumps(message)[:60], "told": hear(connection)})
        say(connection, type="cancel")
        outcome["last"] = until_last(connection)[-1]
    return outcome


def limits():
    """A key that may execute three times a minute."""
    with link() as connection:
        told = []
        for number in range(5):
            execute(connection, "print(1)", id=number)
            told.append(until_last(connection)[-1])
        status, fields, answer = rest("POST", "/api/execute", {"language": "python", "code": "print(1)"})
        _, _, listed = rest("GET", "/api/executions?limit=100")
        return {"told": told, "status": status, "fields": fields, "rest": answer, "kept": len(listed["executions"])}


def quota():
    """An account that runs two at once."""
    with link() as connection:
        for number in range(2):
            execute(connection, SLEEP, id=number)
            until(connection, is_ready)
        execute(connection, "print(1)", id="third")
        refused = until_last(connection)[-1]
        say(connection, type="cancel", id=0)
        until_last(connection)
        execute(connection, "print(1)", id="fourth")
        taken = until_last(connection)[-1]
        say(connection, type="cancel", id=1)
        until_last(connection)
        return {"refused": refused, "taken": taken}


main(globals())
