import subprocess, sys; print(subprocess.check_output([sys.executable, "-I", "-c", "print(1)"]), subprocess.check_output([sys.executable, "-S", "-E", "-c", "print(2)"]))
