import multiprocessing as m
def f(q): q.put("from the child")
if __name__ == "__main__":
    m.set_start_method("forkserver")
    q = m.Queue(); p = m.Process(target=f, args=(q,)); p.start(); print(q.get()); p.join(); print(p.exitcode)
