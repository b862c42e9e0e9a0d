f = open("x", "w"); print(f.fileno())
