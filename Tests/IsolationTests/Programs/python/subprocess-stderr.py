import subprocess; subprocess.run("echo to-err >&2; exit 3", shell=True, check=True)
