"""Requests a second of short endpoints, beside a C program that answers 200 bytes through an nginx of its own."""

from __future__ import annotations

import re
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from .host import TOOLS, BenchError, free_port, run
from .report import Row
from .samples import Samples
from .setup import Setup

BUSY = 200

CONFIGURATION = """
user root;
worker_processes 2;
daemon off;
pid {directory}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body; fastcgi_temp_path {directory}/fastcgi; proxy_temp_path {directory}/proxy;
    uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
    upstream answer {{ server unix:{directory}/answer.sock; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            fastcgi_keep_conn on; fastcgi_pass answer; fastcgi_param REQUEST_METHOD $request_method;
        }}
    }}
}}
"""


def measure(setup: Setup) -> list[Row]:
    """Rounds of four loads; a ratio is that of the sums."""
    stack, sizes = setup.stack, setup.sizes
    execution = stack.request("POST", "/api/execute", {"language": "python", "code": "print(1)"})["execution_id"]
    counted = stack.make_key("counted", "standard=1000000")
    api = f"http://127.0.0.1:{stack.port}/api"
    rates = {name: 0.0 for name in ("floor", "health", "execution", "counted")}
    with ExitStack() as cleanup:
        floor = start_floor(cleanup, setup.directory / "floor")
        stack.settle()
        for _ in range(sizes.control_rounds):
            rates["floor"] += rate(floor, sizes.control_seconds)
            rates["health"] += rate(f"{api}/health", sizes.control_seconds)
            rates["execution"] += rate(f"{api}/execute/{execution}", sizes.control_seconds, stack.key)
            rates["counted"] += rate(f"{api}/execute/{execution}", sizes.control_seconds, counted)
    each = {name: total / sizes.control_rounds for name, total in rates.items()}
    listing = list_while_busy(setup)
    return [
        Row("GET /api/health", each["health"], "/s", each["floor"], "C, libfcgi", at_least=0.6),
        Row("GET /api/execute/{id}", each["execution"], "/s", each["floor"], "C, libfcgi", at_least=0.3),
        Row("GET /api/execute/{id}, rate limited", each["counted"], "/s", each["floor"], "C, libfcgi"),
        Row("GET /api/executions, p50", listing.p50, "ms", note=f"{BUSY} in progress, p99 {listing.p99:.1f} ms"),
    ]


def list_while_busy(setup: Setup) -> Samples:
    """Lists executions beside many that are in progress; they end with the stack, so nothing is measured after this."""
    body = {"language": "python", "code": "import time\ntime.sleep(60)", "timeout": 90, "async": True}
    client = setup.client
    client.load(client.request("POST", "/api/execute", body, 202, '"execution_id"'), count=BUSY, connections=4)
    listing = client.request("GET", "/api/executions", None, 200, '"executions"')
    return client.load(listing, count=100 * setup.sizes.control_seconds, connections=4)


def start_floor(cleanup: ExitStack, directory: Path) -> str:
    """Starts the C program and its nginx, and has both ended; its address."""
    directory.mkdir()
    port = free_port()
    configuration = directory / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(directory=directory, port=port))
    for command in (
        [str(TOOLS / "answer"), str(directory / "answer.sock")],
        ["/usr/sbin/nginx", "-c", str(configuration), "-e", "stderr"],
    ):
        process = subprocess.Popen(command)
        cleanup.callback(process.wait)
        cleanup.callback(process.terminate)
    address = f"http://127.0.0.1:{port}/"
    for _ in range(100):
        if run(["curl", "--silent", "--fail", address], check=False).returncode == 0:
            return address
        time.sleep(0.05)
    raise BenchError("the C program behind nginx does not answer")


def rate(address: str, seconds: int, key: str | None = None) -> float:
    """Requests a second over eight connections, all answered with 2xx."""
    header = ["--header", f"X-API-Key: {key}"] if key else []
    output = run(["wrk", "--threads", "1", "--connections", "8", "--duration", f"{seconds}s", *header, address]).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise BenchError(f"{address}: {output}")
    found = re.search(r"Requests/sec:\s+([0-9.]+)", output)
    if found is None:
        raise BenchError(f"wrk wrote: {output}")
    return float(found[1])
