# env: SEEN=by-libc
import ctypes; g = ctypes.CDLL(None).getenv; g.restype = ctypes.c_char_p; print(g(b"SEEN"), g(b"SOULBOX_PRESTART"))
