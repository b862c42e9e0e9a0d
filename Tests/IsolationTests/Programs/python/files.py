import os; open("a.txt", "w").write("x"); os.mkdir("d"); os.rename("a.txt", "d/b"); print(sorted(os.walk(".")))
