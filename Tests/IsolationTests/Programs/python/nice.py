import os; print(os.nice(0), os.sched_getscheduler(0), os.sched_getaffinity(0) == set(range(os.cpu_count())))
