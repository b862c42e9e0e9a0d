import subprocess, sys; print("first", flush=True); subprocess.run(["echo", "second"]); print("third")
