import atexit
@atexit.register
def f(): raise ValueError("at exit")
