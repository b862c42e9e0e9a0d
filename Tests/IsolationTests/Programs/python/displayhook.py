import sys; sys.displayhook(42); print(sys.displayhook is sys.__displayhook__)
