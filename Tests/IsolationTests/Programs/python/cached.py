print(__cached__ if "__cached__" in globals() else "none", sorted(globals()))
