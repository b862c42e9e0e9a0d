"""Figures as they come."""

import json
import time

from common import *


def monitor():
    with link("/ws/monitor") as connection:
        begin = time.monotonic()
        # As the reference has it, then faster.
        say(connection, type="subscribe", metrics=["cpu_usage", "memory_usage", "active_containers"])
        first = [hear(connection) for _ in range(2)]
        say(connection, type="subscribe", metrics=["queue_depth", "executions_running", "cpu_usage"], interval=1)
        heard = first + until(connection, lambda m: m["at"] > begin + 2.5)
        say(connection, type="unsubscribe", metrics=["cpu_usage", "memory_usage"])
        time.sleep(0.2)
        middle = len(heard)
        heard += until(connection, lambda m: m["at"] > begin + 4.5)
        say(connection, type="unsubscribe")
        quiet = []
        try:
            while True:
                quiet.append(hear(connection, 1.5))
        except TimeoutError:
            pass
        wrong = []
        for message in (
            {"type": "subscribe"}, {"type": "subscribe", "metrics": []}, {"type": "subscribe", "metrics": ["shoe_size"]},
            {"type": "subscribe", "metrics": ["cpu_usage"], "interval": 0}, {"type": "execute"}, {"type": "subscribe", "x": 1},
        ):
            say(connection, **message)
            wrong.append(hear(connection))
        return {"heard": heard, "middle": middle, "quiet": quiet, "wrong": wrong}


main(globals())
