import os; print(sorted(k for k in os.environ if k not in ("HOSTNAME",)), os.environ.get("HOME"), os.environ.get("PATH"), os.environ.get("USER"))
