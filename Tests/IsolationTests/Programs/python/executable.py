import sys; print(sys.executable, sys.prefix, sys.exec_prefix, sys.base_prefix, sys.platlibdir)
