print(__file__, __name__, __doc__, __package__, __loader__.__class__.__name__, __spec__, __builtins__.__name__)
