def f():
    """
    >>> f()
    1
    """
    return 1
import doctest; print(doctest.testmod())
