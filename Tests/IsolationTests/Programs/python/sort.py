import functools; print(sorted("the quick brown fox".split(), key=functools.cmp_to_key(lambda a, b: len(a) - len(b))))
