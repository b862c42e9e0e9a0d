import atexit, threading
atexit.register(lambda: print("atexit")); threading._register_atexit(lambda: print("threads"))
