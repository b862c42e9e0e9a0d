"""Executions and processes as streams over HTTP."""

import http.client
import json
import time

from common import *


class Stream:
    """Server-sent events as the standard reads them (HTML, section 9.2.6)."""

    def __init__(self, path, key=KEY, last=None):
        self.connection = http.client.HTTPConnection(HOST, PORT, timeout=30)
        fields = {"X-API-Key": key, "Accept": "text/event-stream"}
        if last is not None:
            fields["Last-Event-ID"] = str(last)
        self.connection.request("GET", path, headers=fields)
        self.answer = self.connection.getresponse()
        self.fields = {k.lower(): v for k, v in self.answer.getheaders()}

    def read(self):
        """The next event; None at the end."""
        event = {}
        while line := self.answer.readline():
            line = line.decode().rstrip("\n")
            if not line and event:
                event["data"] = json.loads(event["data"])
                return event
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                event[name] = value
        return None

    def all(self):
        events = []
        while (event := self.read()) is not None:
            events.append(event)
        return events

    def close(self):
        self.connection.close()


LINES = "import time\nfor i in range(40):\n    print(i, flush=True)\n    time.sleep(0.03)"


def events():
    with link() as connection:
        execute(connection, LINES, id="x")
        heard = until(connection, lambda m: m["type"] == "output")
        identifier = heard[-1]["execution_id"]
        path = f"/api/execute/{identifier}/events"
        stream = Stream(path)
        told = [stream.read() for _ in range(8)]
        # The connection is lost, and taken up after the last event that has a number.
        stream.close()
        time.sleep(0.3)
        last = [event for event in told if "id" in event][-1]["id"]
        resumed = Stream(path, last=last)
        told += resumed.all()
        heard += until_last(connection)
    outcome = {
        "fields": stream.fields, "events": told, "last": last, "direct": [m["type"] for m in heard],
        "differences": differences([event["data"] for event in told if event["event"] in ("output", "completion")]),
    }
    outcome["again"] = Stream(path).all()
    outcome["beyond"] = Stream(path, last=10**6).all()
    outcome["odd"] = Stream(path, last="nonsense").all()[-1]
    foreign = Stream(path, key=OPTIONS["foreign"])
    outcome["foreign"] = {"status": foreign.answer.status, "body": json.loads(foreign.answer.read())}
    post, _, refused = rest("POST", path, {})
    outcome["post"] = {"status": post, "body": refused}
    _, _, ordinary = rest("POST", "/api/execute", {"language": "python", "code": "print('ordinary')"})
    outcome["ordinary"] = Stream(f"/api/execute/{ordinary['execution_id']}/events").all()
    begun = rest("POST", "/api/execute", {"language": "python", "code": "import time\ntime.sleep(1)\nprint('later')", "async": True})[2]
    outcome["later"] = Stream(f"/api/execute/{begun['execution_id']}/events").all()
    return outcome


def logs():
    sandbox = OPTIONS["sandbox"]
    code = "import time\nfor i in range(20):\n    print(i, flush=True)\n    time.sleep(0.05)"
    process = rest("POST", f"/api/sandboxes/{sandbox}/processes", {"argv": ["python3", "-c", code]})[2]
    path = f"/api/sandboxes/{sandbox}/processes/{process['pid']}/logs"
    connection = http.client.HTTPConnection(HOST, PORT, timeout=30)
    connection.request("GET", f"{path}?follow=true", headers={"X-API-Key": KEY})
    answer = connection.getresponse()
    lines, times = [], []
    while line := answer.readline():
        if line.strip():
            lines.append(json.loads(line))
            times.append(time.monotonic())
    whole = rest("GET", path)[2]
    middle = whole["entries"][0]["offset"] + len(whole["entries"][0]["data"])
    connection.request("GET", f"{path}?offset={middle}&follow", headers={"X-API-Key": KEY})
    later = [json.loads(line) for line in connection.getresponse().read().splitlines() if line.strip()]
    foreign = rest("GET", f"{path}?follow=true", key=OPTIONS["foreign"])
    odd = rest("GET", f"{path}?follow=true&offset=x")
    return {
        "type": answer.getheader("Content-Type"), "lines": lines, "seconds": times[-2] - times[0],
        "later": later, "foreign": [foreign[0], foreign[2]], "odd": [odd[0], odd[2]],
    }


main(globals())
