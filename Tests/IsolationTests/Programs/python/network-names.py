import socket
try: print(socket.getaddrinfo("localhost", 80)[0][4])
except OSError as e: print(e)
