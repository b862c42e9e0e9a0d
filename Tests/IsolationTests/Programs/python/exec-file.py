open("other.py", "w").write("print(__name__, __file__)\n")
import runpy; runpy.run_path("other.py"); runpy.run_path("other.py", run_name="__main__")
