x = []
try: x = bytearray(1 << 50)
except MemoryError: print("no memory")
