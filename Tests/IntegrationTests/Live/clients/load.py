"""Many clients at once, while processes are killed and restarted."""

import asyncio
import json
import time

from common import HOST, KEY, LAST, OPTIONS, main, printed, ready, rest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

CODE = "import time\nfor i in range(30):\n    print(i, flush=True)\n    time.sleep(0.1)"
WHOLE = "".join(f"{i}\n" for i in range(30))


def open_link(path="/ws/execute", **more):
    return connect(
        f"ws://{HOST}:{OPTIONS['port']}{path}", additional_headers={"X-API-Key": KEY}, open_timeout=30, close_timeout=2,
        compression=None, **more)


async def follow(number, runs, code=CODE):
    """One execution to its last message, over as many connections as it takes."""
    run = {"messages": [], "last": [], "connections": 0, "closes": [], "refused": []}
    runs.append(run)
    identifier, sequence = None, 0
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not run["last"]:
        try:
            async with open_link() as connection:
                run["connections"] += 1
                if identifier is None:
                    await connection.send(json.dumps(
                        {"type": "execute", "language": "python", "code": code, "id": number, "timeout": 60}))
                else:
                    await connection.send(json.dumps(
                        {"type": "attach", "execution_id": identifier, "from_sequence": sequence + 1, "id": number}))
                async for text in connection:
                    message = json.loads(text)
                    identifier = identifier or message.get("execution_id")
                    if message["type"] == "reset":
                        run["messages"], sequence = [], 0
                    if message["type"] == "output":
                        sequence = message["sequence"]
                        run["messages"].append(message)
                    if message["type"] == "error" and "execution_id" not in message:
                        # It was not taken: it may be asked for again.
                        run["refused"].append(message)
                        await asyncio.sleep(0.3)
                        break
                    if message["type"] in LAST:
                        run["last"].append(message)
                        # Would there be another?
                        try:
                            async with asyncio.timeout(0.3):
                                run["last"].append(json.loads(await connection.recv()))
                        except TimeoutError:
                            pass
                        break
                else:
                    run["closes"].append(connection.close_code)
        except (OSError, ConnectionClosed, EOFError) as error:
            run["closes"].append(getattr(getattr(error, "rcvd", None), "code", 0))
            await asyncio.sleep(0.05)
        except Exception as error:
            run["closes"].append(repr(error))
            await asyncio.sleep(0.2)
    run["id"] = identifier
    return run


def summary(run):
    """One execution as its client saw it, and as it is noted."""
    status, _, record = rest("GET", f"/api/execute/{run['id']}") if run["id"] else (0, {}, {})
    last = run["last"][0] if run["last"] else {}
    return {
        "last": len(run["last"]), "type": last.get("type"), "status": last.get("status"),
        "reason": (last.get("termination") or {}).get("reason"), "noted": record.get("status"),
        "noted_reason": (record.get("termination") or {}).get("reason"),
        "whole": printed(run["messages"]).decode() == WHOLE,
        "same": all(last.get(name) == record.get(name) for name in ("status", "exit_code", "termination", "execution_time")),
        "connections": run["connections"], "closes": run["closes"], "refused": run["refused"],
    }


def load():
    """Executions that last three seconds, while the test does something to the service."""

    async def all_runs():
        runs, idle = [], await open_link("/ws/monitor")
        tasks = [asyncio.create_task(follow(number, runs)) for number in range(OPTIONS["count"])]
        begin = time.monotonic()
        while sum(bool(run["messages"]) for run in runs) < len(tasks) and time.monotonic() < begin + 20:
            await asyncio.sleep(0.05)
        ready()
        await asyncio.gather(*tasks)
        try:
            await asyncio.wait_for(idle.recv(), 0.1)
        except (TimeoutError, ConnectionClosed):
            pass
        code = idle.close_code
        await idle.close()
        return runs, code

    runs, code = asyncio.run(all_runs())
    return {"runs": [summary(run) for run in runs], "idle": code}


def many():
    """A thousand idle connections and a hundred that are told something, at once."""

    async def everything():
        begin = time.monotonic()
        idle = []
        for group in range(10):
            idle += await asyncio.gather(*[open_link() for _ in range(100)])
        opened = time.monotonic() - begin
        runs = []
        tasks = [asyncio.create_task(follow(number, runs)) for number in range(100)]
        await asyncio.sleep(1.5)
        ready()
        await asyncio.gather(*tasks)
        alive = 0
        # Each of them is still there and answers.
        async def probe(connection):
            await connection.send("{}")
            return json.loads(await asyncio.wait_for(connection.recv(), 20))["type"] == "error"

        alive = sum(await asyncio.gather(*[probe(connection) for connection in idle]))
        await asyncio.gather(*[connection.close() for connection in idle])
        return opened, alive, runs, time.monotonic() - begin

    opened, alive, runs, seconds = asyncio.run(everything())
    texts = [printed(run["messages"]).decode() == WHOLE for run in runs]
    kinds = {}
    for run in runs:
        for last in run["last"]:
            name = last.get("status") or last["type"]
            kinds[name] = kinds.get(name, 0) + 1
    return {
        "opened": opened, "alive": alive, "whole": sum(texts), "ends": kinds, "seconds": seconds,
        "connections": sum(run["connections"] for run in runs)}


main(globals())
