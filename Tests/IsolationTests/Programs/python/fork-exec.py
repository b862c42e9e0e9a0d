import os
if os.fork() == 0: os.execv("/bin/echo", ["echo", "execed"])
os.wait(); print("done")
