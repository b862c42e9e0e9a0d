import os; os.remove(__file__); print("gone", os.path.exists("main.py"))
