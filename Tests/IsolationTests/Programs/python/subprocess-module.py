import subprocess, sys; print(subprocess.check_output([sys.executable, "-m", "calendar", "2020", "2"], text=True))
