open("/dev/stdout", "w").write("through the device\n"); open("/dev/stderr", "w").write("err too\n")
