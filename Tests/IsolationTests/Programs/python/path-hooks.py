import sys; print([getattr(h, "__name__", h.__class__.__name__) for h in sys.path_hooks], [m.__name__ if hasattr(m, "__name__") else m.__class__.__name__ for m in sys.meta_path])
