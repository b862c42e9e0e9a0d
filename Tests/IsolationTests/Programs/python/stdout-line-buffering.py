import sys; print(sys.stdout.line_buffering, sys.stderr.line_buffering, sys.stdout.isatty(), sys.stdout.write_through, sys.stdout.mode, sys.stdout.name)
