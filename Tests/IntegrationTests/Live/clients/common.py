"""What the clients share. The first argument names a function of the script, the second holds its options as JSON; what the
function returns is written to the file `result` as JSON."""

import base64
import faulthandler
import http.client
import json
import sys
import time

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

OPTIONS = json.loads(sys.argv[2])
HOST, PORT, KEY = OPTIONS.get("host", "127.0.0.1"), OPTIONS["port"], OPTIONS["key"]
LAST = ("completion", "error", "detached")
# What a completion does not repeat of the result.
LEFT_OUT = {"output", "error", "stdout", "stderr", "output_encoding", "error_encoding", "progress"}


def main(scope):
    # A test that hangs says where.
    faulthandler.dump_traceback_later(OPTIONS.get("patience", 50))
    outcome = scope[sys.argv[1]]()
    with open(OPTIONS["result"], "w") as file:
        json.dump(outcome, file)


def ready():
    """Tells the test that what it waits for is going on."""
    open(OPTIONS["ready"], "w").close()


def link(path="/ws/execute", key=KEY, headers=None, **more):
    """A connection. Compression is offered, as that library does by itself."""
    fields = dict(headers or {})
    if key:
        fields["X-API-Key"] = key
    more.setdefault("max_size", None)
    return connect(f"ws://{HOST}:{PORT}{path}", additional_headers=fields, open_timeout=30, close_timeout=5, **more)


def say(connection, **message):
    connection.send(json.dumps(message))


def execute(connection, code, **more):
    say(connection, type="execute", language="python", code=code, **more)


def hear(connection, seconds=30):
    message = json.loads(connection.recv(timeout=seconds))
    message["at"] = time.monotonic()
    return message


def until_last(connection, count=1, seconds=30):
    """All messages up to that many last ones."""
    heard = []
    while count:
        heard.append(hear(connection, seconds))
        count -= heard[-1]["type"] in LAST
    return heard


def until(connection, test, seconds=30):
    """All messages up to the first that passes."""
    heard = []
    while not heard or not test(heard[-1]):
        heard.append(hear(connection, seconds))
    return heard


def rest(method, path, body=None, key=KEY, headers=None, seconds=60):
    """Status, fields and body of an answer."""
    connection = http.client.HTTPConnection(HOST, PORT, timeout=seconds)
    fields = dict(headers or {})
    if key:
        fields["X-API-Key"] = key
    if body is not None:
        fields["Content-Type"] = "application/json"
    connection.request(method, path, None if body is None else json.dumps(body), fields)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    try:
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, json.loads(text)
    except ValueError:
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, text.decode(errors="replace")


def of(messages, kind):
    return [message for message in messages if message["type"] == kind]


def printed(messages, stream=None):
    """The output that the messages hold."""
    pieces = [m for m in of(messages, "output") if stream in (None, m["stream"])]
    return b"".join(base64.b64decode(m["data"]) if m.get("encoding") == "base64" else m["data"].encode() for m in pieces)


def stored(record, name):
    text = record[name] or ""
    encoding = record.get({"stdout": "output_encoding", "stderr": "error_encoding"}[name])
    return base64.b64decode(text) if encoding == "base64" else text.encode()


def differences(messages, key=KEY):
    """How what was told of one execution differs from what `GET /execute/{id}` tells of it."""
    last = messages[-1]
    if last["type"] != "completion":
        return [f"ended by {last}"]
    status, _, record = rest("GET", f"/api/execute/{last['execution_id']}", key=key)
    if status != 200:
        return [f"{status} {record}"]
    found = []
    for name in set(record) - LEFT_OUT:
        if last.get(name, "missing") != record[name]:
            found.append(f"{name}: {last.get(name, 'missing')!r} is {record[name]!r}")
    for name in set(last) - set(record) - {"type", "id", "sequence", "at"}:
        found.append(f"{name} is in the message alone")
    for stream in ("stdout", "stderr"):
        told, kept = printed(messages, stream), stored(record, stream)
        if told != kept and not (record["truncated"][stream] and told.startswith(kept)):
            found.append(f"{stream}: {told[:200]!r} is {kept[:200]!r}")
    numbers = [m["sequence"] for m in of(messages, "output")] + [last["sequence"]]
    if numbers != list(range(1, len(numbers) + 1)):
        found.append(f"numbers {numbers[:50]}")
    return found

