import gc; print(gc.garbage, gc.get_debug(), gc.callbacks)
