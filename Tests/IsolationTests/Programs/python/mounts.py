print(sorted((l.split()[4], l.split(" - ")[1].split()[0], l.split()[5]) for l in open("/proc/self/mountinfo")))
