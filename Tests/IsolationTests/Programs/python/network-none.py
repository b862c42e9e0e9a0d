import socket
try: socket.create_connection(("192.0.2.1", 80), 1)
except OSError as e: print(e)
