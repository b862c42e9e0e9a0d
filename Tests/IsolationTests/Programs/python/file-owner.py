import os; s = os.stat("main.py"); print(s.st_uid, s.st_gid, oct(s.st_mode), os.access("main.py", os.W_OK))
