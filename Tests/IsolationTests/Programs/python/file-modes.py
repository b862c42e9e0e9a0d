import os; open("m", "w").close(); os.mkdir("n"); print(oct(os.stat("m").st_mode), oct(os.stat("n").st_mode), oct(os.umask(0)))
