"""Who comes in: what is answered before a connection becomes a WebSocket."""

import base64
import hashlib
import http.client
import json
import socket

from common import *
from raw import upgrade


def ask(request):
    """The answer to the bytes of a request: its status, its fields, its body."""
    connection = socket.create_connection((HOST, PORT), timeout=20)
    connection.sendall(request)
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    fields = {name.lower(): value for name, value in answer.getheaders()}
    if answer.status == 101:
        connection.close()
        return {"status": 101, "fields": fields, "body": None}
    text = answer.read()
    connection.close()
    try:
        body = json.loads(text)
    except ValueError:
        body = text.decode(errors="replace")
    return {"status": answer.status, "fields": fields, "body": body}


def door():
    token, other, weak, limited = (OPTIONS[name] for name in ("token", "other_sandbox", "weak", "limited"))
    nonce = base64.b64encode(b"0123456789abcdef").decode()
    accepted = base64.b64encode(hashlib.sha1((nonce + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
    terminal = f"/ws/sandboxes/{other}/terminal"
    cases = {
        "good": upgrade(nonce=nonce),
        "none": upgrade(key=None),
        "wrong": upgrade(key="sb_live_0000000000000000000000_0000"),
        "query": upgrade(f"/ws/execute?api_key={KEY}&token={token}&access_token={token}", key=None),
        "query_beside": upgrade("/ws/execute?x=1"),
        "protocol": upgrade(key=None, fields={"Sec-WebSocket-Protocol": f"chat, bearer.{token}"}),
        "protocol_key": upgrade(key=None, fields={"Sec-WebSocket-Protocol": f"bearer.{KEY}"}),
        "protocol_wrong": upgrade(key=None, fields={"Sec-WebSocket-Protocol": "bearer.nonsense"}),
        "protocol_other": upgrade(fields={"Sec-WebSocket-Protocol": "chat, superchat"}),
        "authorization": upgrade(key=None, fields={"Authorization": f"Bearer {token}"}),
        "origin": upgrade(fields={"Origin": "https://elsewhere.example"}),
        "origin_alone": upgrade(key=None, fields={"Origin": "https://elsewhere.example", "Cookie": f"api_key={KEY}"}),
        "weak": upgrade(key=weak),
        "weak_monitor": upgrade("/ws/monitor", key=weak),
        "nowhere": upgrade("/ws/nowhere"),
        "health": upgrade("/ws/health"),
        "foreign_sandbox": upgrade(terminal),
        "no_sandbox": upgrade("/ws/sandboxes/nonsense/terminal"),
        "version": upgrade(version="8"),
        "no_version": upgrade(version=None),
        "no_nonce": upgrade(nonce=""),
        "bad_nonce": upgrade(nonce="short"),
        "post": upgrade(method="POST", fields={"Content-Length": "0"}),
        "plain": f"GET /ws/execute HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nConnection: close\r\n\r\n".encode(),
        # Two a minute.
        "limited": upgrade(key=limited),
        "limited_stream": (
            f"GET /api/execute/exec_nothing/events HTTP/1.1\r\nHost: x\r\nX-API-Key: {limited}\r\n"
            "Connection: close\r\n\r\n").encode(),
        "limited_over": upgrade(key=limited),
    }
    outcome = {name: ask(request) for name, request in cases.items()}
    outcome["accepted"] = outcome["good"]["fields"].get("sec-websocket-accept") == accepted
    return outcome


main(globals())
