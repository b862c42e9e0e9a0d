import subprocess, sys; print(subprocess.check_output([sys.executable, "-c", "import sys, os; print(sys.argv, os.environ.get('SOULBOX_PRESTART'))"], text=True))
