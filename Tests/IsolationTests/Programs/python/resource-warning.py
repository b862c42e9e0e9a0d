open("f", "w"); print("x")
