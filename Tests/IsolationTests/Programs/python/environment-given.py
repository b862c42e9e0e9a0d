# env: GREETING=hello EMPTY= SPACED=a=b
import os, subprocess; print(os.environ["GREETING"], repr(os.environ["EMPTY"]), os.environ["SPACED"]); print(subprocess.check_output(["printenv", "GREETING"]))
