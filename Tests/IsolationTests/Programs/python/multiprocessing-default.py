import multiprocessing as m
print(m.get_start_method(), m.current_process().name, m.parent_process())
