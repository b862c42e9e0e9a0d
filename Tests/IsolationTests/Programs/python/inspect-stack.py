import inspect; print([(s.filename, s.function) for s in inspect.stack()])
