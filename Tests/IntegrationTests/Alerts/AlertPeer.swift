/// The other side of alerts, in Python's standard library: a receiver of webhooks, and a client of `/ws/monitor`.
///
/// Both append a line of JSON to a file for what they get. The receiver computes the signature itself.
enum AlertPeer {
    static let program = """
        import base64, hashlib, hmac, http.server, json, os, socket, ssl, struct, sys, threading, time

        mode, log = sys.argv[1], open(sys.argv[2], "a", buffering=1)
        lock, seen = threading.Lock(), {}

        def note(**fields):
            with lock:
                log.write(json.dumps(fields) + "\\n")

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                parts = dict(p.split("=", 1) for p in self.headers["X-SoulBox-Signature"].split(","))
                secret = sys.argv[5].encode()
                wanted = hmac.new(secret, parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
                with lock:
                    seen[self.path] = number = seen.get(self.path, 0) + 1
                note(path=self.path, number=number, signed=hmac.compare_digest(wanted, parts["v1"]),
                     age=time.time() - int(parts["t"]), delivery=self.headers["X-SoulBox-Delivery"],
                     type=self.headers["Content-Type"], host=self.headers["Host"], body=json.loads(body))
                if self.path == "/hangs-once" and number == 1:
                    time.sleep(60)
                status = 200
                if self.path == "/fails-twice" and number <= 2:
                    status = 503
                if self.path == "/redirects":
                    status = 307
                self.send_response(status)
                if status == 307:
                    self.send_header("Location", "/canary")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *arguments):
                pass

        def serve():
            server = http.server.ThreadingHTTPServer((sys.argv[3], int(sys.argv[4])), Receiver)
            if mode == "tls":
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(sys.argv[6])
                server.socket = context.wrap_socket(server.socket, server_side=True)
            server.serve_forever()

        def read(connection, count):
            data = b""
            while len(data) < count:
                piece = connection.recv(count - len(data))
                if not piece:
                    sys.exit()
                data += piece
            return data

        def monitor():
            connection = socket.create_connection(("127.0.0.1", int(sys.argv[3])))
            connection.sendall((
                "GET /ws/monitor HTTP/1.1\\r\\nHost: x\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n"
                "Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\n"
                "X-API-Key: " + sys.argv[4] + "\\r\\n\\r\\n").encode())
            head = b""
            while not head.endswith(b"\\r\\n\\r\\n"):
                head += read(connection, 1)
            note(head=head.decode())
            text = json.dumps({"type": "subscribe", "metrics": ["alerts", "queue_depth"], "interval": 1}).encode()
            # A mask of zeros changes nothing (RFC 6455, section 5.3).
            connection.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)
            while True:
                first, length = read(connection, 2)
                if length == 126:
                    length = struct.unpack(">H", read(connection, 2))[0]
                data = read(connection, length)
                if first == 0x81:
                    log.write(data.decode() + "\\n")

        monitor() if mode == "monitor" else serve()
        """
}
