# stdin: for the child
import subprocess; print(subprocess.check_output(["cat"]))
