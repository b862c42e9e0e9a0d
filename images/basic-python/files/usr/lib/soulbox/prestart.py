"""Waits, at the end of the interpreter's own start, for what this interpreter is to run.

SoulBox starts `python3 main.py` before it knows what main.py will hold. The last step of the start, the site module, reads
soulbox.pth, which runs this file, and last of all looks for a module usercustomize: asked for that, it says on descriptor 5
that it waits, and reads the arguments and the environment of the program from descriptor 4. Then the interpreter goes on by
itself, and finds and runs main.py as it always does.
As a zygote it does that in each of its forks, which a module of SoulBox's makes and puts into their sandboxes.
Where something would make a difference to how the interpreter itself starts, it is started anew.
"""


def wait():
    import gc
    import os
    import sys

    zygote = None
    if "SOULBOX_ZYGOTE" in os.environ:
        import _imp

        class Library:
            name = "zygote"
            origin = "/usr/lib/soulbox/zygote.so"

        zygote = _imp.create_dynamic(Library)

    # What the template says that most programs want; its option is not among what they see.
    preload = sys._xoptions.pop("preload", "")
    if preload:
        at = sys.orig_argv.index("preload=" + preload)
        del sys.orig_argv[at - 1 : at + 1]
        for name in preload.split(","):
            __import__(name)

    # The program's environment is hardly ever another than that of this start, without what says that it is one.
    for name in (b"SOULBOX_PRESTART", b"SOULBOX_ZYGOTE"):
        os.environb.pop(name, None)
    usual = b"0\0" + b"".join(name + b"=" + value + b"\0" for name, value in os.environb.items())
    library = os.path.expanduser("~/.local/lib")

    # What the start has made lives as long as the process: collections, those of its end too, need not look at it. But for
    # the dictionary of __main__, which is to hold what the program makes: empty, it is left out when a collection meets it,
    # and taken up again when it is filled.
    main = sys.modules["__main__"].__dict__
    kept = dict(main)
    main.clear()
    gc.collect()
    gc.freeze()
    main.update(kept)
    # It is not among what an interpreter has at its start.
    del sys.modules["gc"]
    if zygote is not None:
        zygote.serve()
    os.write(5, b"R")
    data = b""
    size = 4
    while len(data) < size:
        chunk = os.read(4, 1 << 17)
        if not chunk:
            # Nobody is left who could have work.
            os._exit(0)
        data += chunk
        if size == 4 and len(data) >= 4:
            size = 4 + int.from_bytes(data[:4], "little")
    os.close(4)
    os.close(5)
    work = data[4:]
    if shadows(os, sys, library):
        arguments, environment = parse(os, work)
        os.execve(sys.orig_argv[0], sys.orig_argv + arguments, environment)
    if work != usual:
        arguments, environment = parse(os, work)
        # Through os.environb both the mapping and the process's own environment change.
        for name in list(os.environb):
            del os.environb[name]
        for name, value in environment.items():
            os.environb[name] = value
        sys.argv += arguments
        sys.orig_argv += arguments
    # It may know the directory as it was before the program's files were there.
    finder = sys.path_importer_cache.get(os.getcwd())
    if finder is not None:
        finder.invalidate_caches()


def parse(os, work):
    """The arguments and the environment that the work names."""
    strings = work.split(b"\0")[:-1]
    count = int(strings[0])
    arguments = [os.fsdecode(text) for text in strings[1 : count + 1]]
    return arguments, dict(text.split(b"=", 1) for text in strings[count + 1 :])


def shadows(os, sys, library):
    """Whether a file of the program's would have been imported by the interpreter's start, or been on its path."""
    if os.access(library, os.F_OK):
        return True
    for name in os.listdir():
        name = name.partition(".")[0]
        if name in ("sitecustomize", "usercustomize"):
            return True
        module = sys.modules.get(name)
        # What is built in or frozen comes before any file.
        if module is not None and getattr(module.__spec__, "has_location", False):
            return True
    return False


class Last:
    """The first to be asked for modules, until it is asked for the one that the start looks for last."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        import sys

        if name == "usercustomize":
            sys.meta_path.remove(cls)
            wait()
            # There is none: the program has brought none, and the image has none.
            raise ModuleNotFoundError(name=name)


__import__("sys").meta_path.insert(0, Last)
