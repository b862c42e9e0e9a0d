"""An interactive shell in a persistent sandbox."""

import time

from common import *
from raw import Raw

SANDBOX = OPTIONS["sandbox"]
PATH = f"/ws/sandboxes/{SANDBOX}/terminal"


def type_in(connection, text):
    say(connection, type="stdin", data=text)


def until_text(connection, text, seconds=20):
    """What the shell shows, up to that text."""
    heard, shown = [], ""
    while text not in shown:
        heard.append(hear(connection, seconds))
        shown += heard[-1].get("data", "")
    return shown


def shell():
    shown = {}
    with link(PATH) as connection:
        say(connection, type="resize", rows=33, columns=111)
        type_in(connection, "stty size; echo $((6*7))-$0\n")
        shown["first"] = until_text(connection, "42-")
        say(connection, type="resize", rows=44, columns=122)
        type_in(connection, "stty size\n")
        shown["resized"] = until_text(connection, "44 122")
        # The interrupt character ends what runs in front, and not the shell.
        type_in(connection, "sleep 100\n")
        time.sleep(0.3)
        type_in(connection, "\x03")
        type_in(connection, "echo in''terrupted $?\n")
        shown["interrupted"] = until_text(connection, "interrupted 130")
        type_in(connection, "echo kept > /workspace/kept.txt; pwd; id -un; tty\n")
        shown["place"] = until_text(connection, "/dev/pts/")
        wrong = []
        for message in ({"type": "stdin"}, {"type": "resize", "rows": 0}, {"type": "nothing"}, {"type": "stdin", "data": "", "x": 1}):
            say(connection, **message)
            wrong.append(until(connection, lambda m: m["type"] == "error")[-1])
        type_in(connection, "exit 7\n")
        ended = until_last(connection)
        try:
            connection.recv(timeout=5)
        except ConnectionClosed as closed:
            code = closed.rcvd.code
    return {"shown": shown, "wrong": wrong, "last": ended[-1], "close": code}


def lost():
    """A shell does not outlive its connection, and what it ran in front goes with it."""
    connection = Raw(PATH)
    connection.say(type="stdin", data="sleep 54321\n")
    time.sleep(0.7)
    look = (
        "import os\nfound = []\nfor pid in os.listdir('/proc'):\n    if pid.isdigit():\n        try:\n"
        "            found.append(open(f'/proc/{pid}/cmdline').read().replace('\\0', ' '))\n        except OSError:\n"
        "            pass\nprint(sum('54321' in line for line in found))")
    before = rest("POST", f"/api/sandboxes/{SANDBOX}/execute", {"code": look})[2]
    connection.reset()
    begin = time.monotonic()
    after = before
    while time.monotonic() < begin + 10 and after["stdout"] != "0\n":
        after = rest("POST", f"/api/sandboxes/{SANDBOX}/execute", {"code": look})[2]
    return {"before": before["stdout"], "after": after["stdout"], "seconds": time.monotonic() - begin}


main(globals())
