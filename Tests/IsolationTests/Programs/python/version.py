import sys, platform; print(sys.version, platform.python_implementation(), sys.api_version)
