import sys, __main__
print(__main__ is sys.modules["__main__"], __main__.__file__)
