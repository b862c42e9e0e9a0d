import contextlib
with contextlib.redirect_stdout(None): print("hidden")
print("seen")
