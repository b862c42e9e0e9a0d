"""Coming back to an execution: after a lost connection, from elsewhere, by somebody else, too late."""

import time

from common import *
from raw import Raw

LINES = "import time\nfor i in range(10000):\n    print(i, flush=True)\n    if i % 100 == 99: time.sleep(0.02)"
ECHO = "import sys\nprint('ready')\nfor line in sys.stdin:\n    print(line.strip().upper())"


def resume():
    """Ten thousand numbered lines over five connections that are lost on the way."""
    connection = Raw()
    connection.say(type="execute", language="python", code=LINES, timeout=60)
    heard, identifier, lost, kinds = [], None, 0, []
    while True:
        message = connection.hear()
        kinds.append(message["type"]) if message["type"] != "output" else heard.append(message)
        if message["type"] in LAST:
            break
        if message["type"] != "output":
            continue
        identifier = identifier or message["execution_id"]
        if lost < 5 and b"".join(m["data"].encode() for m in heard).count(b"\n") > 1700 * (lost + 1):
            lost += 1
            connection.reset()
            if lost == 3:
                time.sleep(0.5)
            connection = Raw()
            connection.say(type="attach", execution_id=identifier, from_sequence=heard[-1]["sequence"] + 1)
    numbers = [m["sequence"] for m in heard]
    text = "".join(m["data"] for m in heard)
    # A connection that comes after the end is told the same.
    after = Raw()
    after.say(type="attach", execution_id=identifier, from_sequence=numbers[-1])
    again = [after.hear()]
    while again[-1]["type"] not in LAST:
        again.append(after.hear())
    after.socket.close()
    connection.socket.close()
    return {
        "lost": lost, "kinds": kinds, "in_order": numbers == list(range(1, len(numbers) + 1)),
        "whole": text == "".join(f"{i}\n" for i in range(10000)), "last": message,
        "again": [m["type"] for m in again], "again_last": again[-1],
        "differences": differences(heard + [message]),
    }


def takeover():
    """A second connection takes an execution over; a third, of another account, does not."""
    with link() as first, link() as second, link(key=OPTIONS["foreign"]) as third:
        execute(first, ECHO, id="mine")
        heard = until(first, lambda m: m["type"] == "output")
        identifier = heard[-1]["execution_id"]
        say(third, type="attach", execution_id=identifier)
        foreign = until_last(third)
        say(third, type="stdin", execution_id=identifier, data="stolen\n")
        foreign += [hear(third)]
        say(second, type="stdin", execution_id=identifier, data="not mine yet\n")
        early = hear(second)
        say(second, type="attach", execution_id=identifier, from_sequence=1, id="theirs")
        taken = until(second, lambda m: m["type"] == "output")
        heard += until_last(first)
        say(first, type="stdin", execution_id=identifier, data="late\n")
        late = hear(first)
        say(second, type="stdin", data="hello\n")
        taken += until(second, lambda m: m["type"] == "output")
        say(second, type="close_stdin", id="theirs")
        taken += until_last(second)
        return {
            "first": heard, "early": early, "late": late, "second": taken, "foreign": foreign,
            "differences": differences(taken)}


def flood():
    """Input that the program does not take, by a connection that has taken the execution over."""
    code = "import sys\nprint('ready')\nsys.stdout.flush()\nimport time\ntime.sleep(2)\nprint(len(sys.stdin.read()))"
    with link() as first:
        execute(first, code)
        heard = until(first, lambda m: m["type"] == "output")
        identifier = heard[-1]["execution_id"]
        outcomes = []
        # As many connections as it takes to come by both gateways.
        for _ in range(4):
            with link() as other:
                say(other, type="attach", execution_id=identifier, id="a")
                until(other, lambda m: m["type"] == "output")
                say(other, type="stdin", data="x" * 1_500_000)
                outcomes.append(hear(other))
        with link() as other:
            say(other, type="attach", execution_id=identifier, id="b")
            until(other, lambda m: m["type"] == "output")
            for _ in range(16):
                say(other, type="stdin", data="y" * 100_000)
            say(other, type="close_stdin")
            heard = until(other, lambda m: m["type"] == "completion")
            refused = of(heard, "error")
            return {"large": outcomes, "refused": refused, "text": printed(heard).decode(), "last": heard[-1]}


def abandoned():
    """Nobody comes back within the grace period."""
    connection = Raw()
    connection.say(type="execute", language="python", code="import time\nprint(1, flush=True)\ntime.sleep(60)", timeout=60)
    identifier = connection.hear()["execution_id"]
    connection.reset()
    begin = time.monotonic()
    record = {}
    while time.monotonic() < begin + 20 and record.get("status") != "cancelled":
        time.sleep(0.1)
        record = rest("GET", f"/api/execute/{identifier}")[2]
    seconds = time.monotonic() - begin
    with link() as late:
        say(late, type="attach", execution_id=identifier, from_sequence=2)
        told = until_last(late)
    return {"seconds": seconds, "record": record, "told": told}


main(globals())
