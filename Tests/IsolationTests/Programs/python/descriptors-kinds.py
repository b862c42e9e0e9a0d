import os, stat; print([stat.S_IFMT(os.fstat(i).st_mode) for i in (1, 2)], [os.get_inheritable(i) for i in range(3)], [os.get_blocking(i) for i in (1, 2)])
