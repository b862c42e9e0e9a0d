import ctypes, os

libc = ctypes.CDLL(None)
cpus = sorted(os.sched_getaffinity(0))
for cpu in cpus + cpus:
    os.sched_setaffinity(0, {cpu})
    print(libc.sched_getcpu() == cpu)
