import gc, weakref
class A: pass
a = A(); a.self = a; r = weakref.ref(a); del a; print(gc.collect() >= 1, r() is None, gc.isenabled(), gc.get_threshold())
