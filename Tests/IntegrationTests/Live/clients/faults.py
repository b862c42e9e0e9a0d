"""Clients that vanish, or do not read."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time

from common import *
from raw import Raw

SLEEP = "import time\nprint(1, flush=True)\ntime.sleep(60)"


def gone_after(identifier, begin):
    """How long after its client is gone an execution is cancelled."""
    record = {}
    while time.monotonic() < begin + 30 and record.get("status") != "cancelled":
        time.sleep(0.1)
        record = rest("GET", f"/api/execute/{identifier}")[2]
    return {"seconds": time.monotonic() - begin, "record": record}


def stopped():
    """A client that is stopped: its kernel takes what comes, and nobody answers a ping."""
    options = dict(OPTIONS, result=OPTIONS["result"] + ".child")
    child = subprocess.Popen([sys.executable, __file__, "child", json.dumps(options)], stdout=subprocess.PIPE)
    try:
        identifier = child.stdout.readline().decode().strip()
        os.kill(child.pid, signal.SIGSTOP)
        return gone_after(identifier, time.monotonic())
    finally:
        child.kill()
        child.wait()


def child():
    connection = Raw()
    connection.say(type="execute", language="python", code=SLEEP, timeout=100)
    print(connection.hear()["execution_id"], flush=True)
    while True:
        connection.hear()


def unplugged():
    """A client whose wire is cut: no FIN, no reset, no answer to anything."""
    space, outside, inside = f"sb-{os.getpid()}", f"sbo{os.getpid()}", f"sbi{os.getpid()}"
    run = lambda *words: subprocess.run(words, check=True, capture_output=True, text=True).stdout
    # Of the networks for documentation (RFC 5737) one that this machine knows nothing of.
    known = run("ip", "route", "show", "table", "all") + run("ip", "address")
    net = next(net for net in ("203.0.113.", "198.51.100.", "192.0.2.") if net not in known)
    run("ip", "netns", "add", space)
    try:
        run("ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", space)
        run("ip", "address", "add", net + "1/30", "dev", outside)
        run("ip", "link", "set", outside, "up")
        run("ip", "-n", space, "address", "add", net + "2/30", "dev", inside)
        run("ip", "-n", space, "link", "set", inside, "up")
        options = dict(OPTIONS, host=net + "1", result=OPTIONS["result"] + ".child")
        away = subprocess.Popen(
            ["ip", "netns", "exec", space, sys.executable, __file__, "child", json.dumps(options)], stdout=subprocess.PIPE)
        try:
            identifier = away.stdout.readline().decode().strip()
            run("ip", "link", "set", outside, "down")
            return gone_after(identifier, time.monotonic())
        finally:
            away.kill()
            away.wait()
    finally:
        subprocess.run(["ip", "netns", "del", space])
        subprocess.run(["ip", "link", "del", outside], stderr=subprocess.DEVNULL)


def revoked():
    """A key that is revoked while connections are open with it."""
    second = OPTIONS["second"]
    closes = {}
    with link() as first, link("/ws/monitor") as monitor:
        execute(first, SLEEP, timeout=100)
        identifier = until(first, lambda m: m["type"] == "output")[-1]["execution_id"]
        say(monitor, type="subscribe", metrics=["memory_usage"], interval=1)
        hear(monitor)
        stream = http.client.HTTPConnection(HOST, PORT, timeout=20)
        stream.request("GET", f"/api/execute/{identifier}/events", headers={"X-API-Key": KEY})
        answer = stream.getresponse()
        rest("DELETE", "/api/auth/api-keys/" + "key_" + KEY.split("_")[2], key=second)
        begin = time.monotonic()
        refused = rest("GET", "/api/account")[0]
        execute(first, "print(1)")
        told = until(first, lambda m: m["type"] == "error")[-1]
        for name, connection in (("execute", first), ("monitor", monitor)):
            try:
                while True:
                    connection.recv(timeout=20)
            except ConnectionClosed as closed:
                closes[name] = closed.rcvd.code
        try:
            while answer.read1(1000):
                pass
            closes["events"] = "closed"
        except http.client.IncompleteRead:
            closes["events"] = "cut"
        seconds = time.monotonic() - begin
    record = {}
    while time.monotonic() < begin + 20 and record.get("status") != "cancelled":
        time.sleep(0.2)
        record = rest("GET", f"/api/execute/{identifier}", key=second)[2]
    return {"refused": refused, "told": told, "closes": closes, "seconds": seconds, "record": record}


def expired():
    """A token whose time ends while a connection is open with it."""
    token = rest("POST", "/api/auth/token", {"expires_in": 1})[2]["token"]
    begin = time.monotonic()
    with link("/ws/monitor", key=None, headers={"Authorization": f"Bearer {token}"}) as monitor:
        try:
            while True:
                monitor.recv(timeout=20)
        except ConnectionClosed as closed:
            return {"code": closed.rcvd.code, "seconds": time.monotonic() - begin}


FLOOD = "import sys\nfor i in range(16384):\n    sys.stdout.write('x' * 65535 + '\\n')"


def slow():
    """A program that prints a gigabyte to a client that does not read, and another client beside it."""
    connection = Raw(receive_buffer=1 << 16)
    connection.say(type="execute", language="python", code=FLOOD, timeout=120)
    identifier = connection.hear()["execution_id"]
    time.sleep(1)
    ready()
    seconds = []
    with link() as other:
        for number in range(10):
            begin = time.monotonic()
            execute(other, f"print({number})")
            heard = until_last(other)
            seconds.append(time.monotonic() - begin)
            if heard[-1]["type"] != "completion":
                return {"failed": heard[-1]}
            time.sleep(0.15)
    begin = time.monotonic()
    heard, count, sequence = [], 0, 1
    # What waited comes, in order and whole.
    while count < 24 << 20:
        message = connection.hear()
        if message["type"] != "output" or message["sequence"] != sequence + 1:
            return {"failed": message, "after": sequence}
        sequence = message["sequence"]
        count += len(message["data"])
    rate = count / (time.monotonic() - begin)
    connection.say(type="cancel")
    message = connection.hear()
    while message["type"] not in LAST:
        message = connection.hear()
    connection.socket.close()
    record = rest("GET", f"/api/execute/{identifier}")[2]
    return {"other": seconds, "last": message, "status": record["status"], "truncated": record["truncated"], "rate": rate}


main(globals())
