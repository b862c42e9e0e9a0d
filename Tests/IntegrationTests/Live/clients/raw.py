"""A WebSocket client of bytes: it sends what a library would not (RFC 6455, section 5)."""

import base64
import json
import os
import socket
import struct
import time

from common import HOST, KEY, PORT

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0


def frame(opcode, payload=b"", fin=True, reserved=0, masked=True, length=None):
    """The bytes of a frame; `length` is one that it only pretends to have."""
    first = (0x80 if fin else 0) | reserved << 4 | opcode
    size = len(payload) if length is None else length
    bit = 0x80 if masked else 0
    if size < 126:
        head = struct.pack("!BB", first, bit | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    covered = (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")
    return head + mask + covered


def upgrade(path="/ws/execute", key=KEY, fields=None, method="GET", version="13", nonce=None):
    """The request that asks for a WebSocket."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}:{PORT}", "Connection: Upgrade", "Upgrade: websocket"]
    if version:
        lines.append(f"Sec-WebSocket-Version: {version}")
    if nonce != "":
        lines.append(f"Sec-WebSocket-Key: {nonce or base64.b64encode(os.urandom(16)).decode()}")
    if key:
        lines.append(f"X-API-Key: {key}")
    lines += [f"{name}: {value}" for name, value in (fields or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Raw:
    def __init__(self, path="/ws/execute", key=KEY, host=HOST, receive_buffer=None):
        self.socket = socket.socket()
        self.socket.settimeout(30)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect((host, PORT))
        self.buffer = b""
        self.socket.sendall(upgrade(path, key))
        while b"\r\n\r\n" not in self.buffer:
            self._fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.decode())

    def _fill(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise EOFError
        self.buffer += data

    def _take(self, count):
        while len(self.buffer) < count:
            self._fill()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def read(self):
        """The next frame: its opcode and its payload. A server's is whole, and not masked."""
        first, second = self._take(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack("!H", self._take(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", self._take(8))[0]
        if first & 0x70 or second & 0x80 or not first & 0x80:
            raise AssertionError(f"a server's frame begins with {first:02x} {second:02x}")
        return first & 0x0F, self._take(size)

    def hear(self):
        """The next message. Pings are answered."""
        while True:
            opcode, payload = self.read()
            if opcode == PING:
                self.socket.sendall(frame(PONG, payload))
            elif opcode == TEXT:
                return json.loads(payload)
            elif opcode == CLOSE:
                raise EOFError(payload)

    def say(self, **message):
        self.socket.sendall(frame(TEXT, json.dumps(message).encode()))

    def rest_of(self, seconds=10):
        """All that comes until the end of the connection: frames, and how it ended."""
        frames = []
        self.socket.settimeout(seconds)
        try:
            while True:
                frames.append(self.read())
        except EOFError:
            return frames, "closed"
        except ConnectionResetError:
            return frames, "reset"
        except TimeoutError:
            return frames, "open"

    def reset(self):
        """Loses the connection: the other side gets a TCP reset (socket(7), SO_LINGER)."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
