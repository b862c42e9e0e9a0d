import os; open("mod.py", "w").write("y = 1\n"); import mod; print(os.path.isdir("__pycache__"), sorted(os.listdir(".")))
