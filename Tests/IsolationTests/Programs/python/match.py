def f(x):
    match x:
        case {"a": [1, *rest]}: return rest
        case str(): return "text"
        case _: return None
print(f({"a": [1, 2, 3]}), f("s"), f(0))
