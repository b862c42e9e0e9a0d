import os, sys; os.execv(sys.executable, [sys.executable, "-c", "import sys; print(sys.argv, sys.flags.isolated)"])
