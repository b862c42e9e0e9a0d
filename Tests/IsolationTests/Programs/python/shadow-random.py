open("random.py", "w").write("value = 42\n")
import importlib; importlib.invalidate_caches()
import random; print(random.value)
