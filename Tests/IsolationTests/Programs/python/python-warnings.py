# env: PYTHONWARNINGS=error
import warnings; warnings.warn("x")
