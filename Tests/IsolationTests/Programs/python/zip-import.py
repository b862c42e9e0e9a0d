import zipfile, sys
with zipfile.ZipFile("z.zip", "w") as z: z.writestr("inside.py", "v = 'zipped'")
sys.path.insert(0, "z.zip"); import inside; print(inside.v)
