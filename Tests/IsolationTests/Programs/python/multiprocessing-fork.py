import multiprocessing as m
def f(x): return x * x
if __name__ == "__main__":
    m.set_start_method("fork")
    with m.Pool(3) as p: print(p.map(f, range(5)))
