# env: B=2 A=1 C=3
import os; print([k for k in os.environ if len(k) == 1] and sorted(k for k in os.environ if len(k) == 1))
