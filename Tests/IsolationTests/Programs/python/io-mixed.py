import sys
for i in range(5): print(i, end=" "); sys.stderr.write(str(i))
