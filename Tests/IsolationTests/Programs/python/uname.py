import os, socket; print(os.uname().sysname, os.uname().nodename == socket.gethostname())
