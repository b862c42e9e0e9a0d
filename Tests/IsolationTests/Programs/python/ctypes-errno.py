import ctypes, os; l = ctypes.CDLL(None, use_errno=True); print(l.close(999), os.strerror(ctypes.get_errno()))
