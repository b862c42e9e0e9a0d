# env: PYTHONPATH=/tmp/somewhere
import sys; print(sys.path)
