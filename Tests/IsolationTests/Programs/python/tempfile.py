import tempfile, os
with tempfile.NamedTemporaryFile() as f: print(os.path.dirname(f.name), f.write(b"x"))
print(tempfile.gettempdir())
