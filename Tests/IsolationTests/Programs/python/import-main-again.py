import sys
if __name__ == "__main__":
    import main
    print(main.__name__, sys.modules["main"].__file__)
else:
    print("imported", __name__)
