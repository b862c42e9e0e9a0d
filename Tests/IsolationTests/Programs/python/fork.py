import os, sys
p = os.fork()
if p == 0:
    print("child", flush=True); os._exit(7)
print("parent", os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]))
