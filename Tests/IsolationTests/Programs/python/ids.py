import os; print(os.getuid(), os.geteuid(), os.getgid(), os.getgroups(), os.getlogin() if False else "", os.path.expanduser("~"))
