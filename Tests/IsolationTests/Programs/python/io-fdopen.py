import os; os.write(1, b"raw "); print("text", flush=True); os.write(2, b"raw err\n")
