print("before"); quit(9)
