from concurrent.futures import ProcessPoolExecutor
def f(x): return x ** 2
if __name__ == "__main__":
    with ProcessPoolExecutor(2) as e: print(list(e.map(f, range(4))))
