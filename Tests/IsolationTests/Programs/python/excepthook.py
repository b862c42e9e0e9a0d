import sys; sys.excepthook = lambda t, v, b: print("hooked", t.__name__, v); raise ValueError("x")
