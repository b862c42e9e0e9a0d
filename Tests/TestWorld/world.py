#!/usr/bin/env python3
"""The servers of the world that the tests of sandboxes' networks reach, in a network namespace of its own.

Each connection and each datagram is noted in the log as `<protocol> <local address>:<port> <peer>`, before anything is
answered: what a test forbids must not be there. The answers say which address was reached, and over TLS which name was
asked for.
"""
import socket
import ssl
import sys
import threading

certificate, key, log_path = sys.argv[1:4]
addresses = sys.argv[4:]
log = open(log_path, "a", buffering=1)
tls_names = {}


def note(kind, local, peer):
    log.write(f"{kind} {local[0]}:{local[1]} {peer[0]}\n")


def serve(sock, answer):
    while True:
        try:
            connection, peer = sock.accept()
        except OSError:
            return
        note("tcp", connection.getsockname(), peer)
        threading.Thread(target=guarded, args=(answer, connection), daemon=True).start()


def guarded(answer, connection):
    try:
        connection.settimeout(60)
        answer(connection)
    except (OSError, ssl.SSLError):
        pass
    finally:
        connection.close()


def echo(connection):
    """Says where it is, then echoes."""
    connection.sendall(f"hello from {connection.getsockname()[0]}\n".encode())
    while data := connection.recv(4096):
        connection.sendall(data)


def http(connection):
    """One request a connection; `/big` is answered with 8 MiB."""
    head = b""
    while b"\r\n\r\n" not in head:
        chunk = connection.recv(4096)
        if not chunk:
            return
        head += chunk
    host = next((line[5:].strip() for line in head.decode("latin-1").split("\r\n")
                 if line.lower().startswith("host:")), "")
    body = f"http {connection.getsockname()[0]} {host}".encode()
    if head.split()[1] == b"/big":
        body = b"x" * (8 << 20)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)


def tls(connection):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    asked = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    with context.wrap_socket(connection, server_side=True) as secure:
        secure.sendall(f"tls {secure.getsockname()[0]} {asked[0] if asked else None}\n".encode())
        while data := secure.recv(4096):
            secure.sendall(data)


def datagrams(sock):
    while True:
        try:
            data, peer = sock.recvfrom(2048)
        except OSError:
            return
        note("udp", sock.getsockname(), peer)
        sock.sendto(b"echo " + data, peer)


for address in addresses:
    for port, answer in ((80, http), (443, tls), (5432, echo), (8000, echo), (8001, echo)):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(512)
        threading.Thread(target=serve, args=(listener, answer), daemon=True).start()
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagram.bind((address, 9000))
    threading.Thread(target=datagrams, args=(datagram,), daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
