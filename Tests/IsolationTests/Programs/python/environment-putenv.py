import os, subprocess; os.environ["NEW"] = "x"; del os.environ["HOME"]; print(subprocess.run("echo $NEW-$HOME", shell=True, capture_output=True, text=True).stdout)
