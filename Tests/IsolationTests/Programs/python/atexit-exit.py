import atexit, sys
atexit.register(lambda: print("bye")); sys.exit(2)
