"""A Python interpreter whose variables last: runs one cell after the other in the same namespace.

A line on standard input names a directory with the cell: `code`, and four FIFOs. Output goes to `out` and `err`, rich
results to `results` as lines of JSON, and closing `done` says that the cell has ended. SIGINT interrupts a cell.
"""
import ast
import base64
import builtins
import json
import linecache
import os
import signal
import sys
import traceback
import types

LIMIT = 8 << 20
MIME = [
    ("_repr_html_", "text/html", False), ("_repr_markdown_", "text/markdown", False),
    ("_repr_svg_", "image/svg+xml", False), ("_repr_png_", "image/png", True), ("_repr_jpeg_", "image/jpeg", True),
    ("_repr_latex_", "text/latex", False), ("_repr_json_", "application/json", False),
]


class Results:
    """The rich results of one cell."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.sent = 0

    def send(self, message):
        data = (json.dumps(message) + "\n").encode()
        self.sent += len(data)
        if self.sent > LIMIT:
            data = b'{"type": "truncated"}\n'
            if self.sent - len(data) > 2 * LIMIT:
                return
            self.sent = 3 * LIMIT
        while data:
            data = data[os.write(self.descriptor, data):]


def bundle(value):
    """All representations that a value has, by media type."""
    shown = {"text/plain": repr(value)}
    method = getattr(type(value), "_repr_mimebundle_", None)
    if method:
        found = value._repr_mimebundle_()
        found = found[0] if isinstance(found, tuple) else found
        shown.update({k: v if isinstance(v, (str, dict, list)) else base64.b64encode(v).decode() for k, v in found.items()})
    for name, kind, is_binary in MIME:
        if kind in shown or not hasattr(type(value), name):
            continue
        try:
            found = getattr(value, name)()
        except Exception:
            continue
        if found is None:
            continue
        found = found[0] if isinstance(found, tuple) else found
        shown[kind] = base64.b64encode(found).decode() if is_binary and isinstance(found, bytes) else found
    if type(value).__name__ == "Figure" and hasattr(value, "savefig"):
        shown["image/png"] = picture(value)
    return shown


def picture(figure):
    import io

    data = io.BytesIO()
    figure.savefig(data, format="png", bbox_inches="tight")
    return base64.b64encode(data.getvalue()).decode()


def figures(results):
    """What pyplot has drawn and nobody has closed."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if not pyplot:
        return
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        results.send({"type": "result", "main": False, "data": {"text/plain": repr(figure), "image/png": picture(figure)}})
    pyplot.close("all")


def run(code, name, space, results):
    """Runs a cell; gives whether it ended without an error."""
    linecache.cache[name] = (len(code), None, code.splitlines(True), name)
    try:
        tree = ast.parse(code, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        finish(eval(compile(tree, name, "exec", flags), space))
        if last is not None:
            value = finish(eval(compile(ast.Expression(last.value), name, "eval", flags), space))
            if value is not None:
                space["_"] = value
                results.send({"type": "result", "main": True, "data": bundle(value)})
        figures(results)
        return True
    except SystemExit as end:
        return end.code in (None, 0)
    except BaseException as error:
        trace = error.__traceback__
        # From the cell's own first line on: the frames of this file say nothing to anybody.
        while trace and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        text = "".join(traceback.format_exception(type(error), error, trace))
        sys.stderr.write(text)
        results.send({"type": "error", "name": type(error).__name__, "value": str(error), "traceback": text})
        return False


def finish(value):
    """Waits for a coroutine, which a cell with a top-level await is."""
    if not isinstance(value, types.CoroutineType):
        return value
    import asyncio

    return asyncio.get_event_loop_policy().get_event_loop().run_until_complete(value)


restored = ""


def renew(directory):
    """Copies of a snapshot draw other numbers than the original: the seed from before it would be everybody's."""
    global restored
    try:
        with open(os.path.join(directory, "restored"), encoding="ascii") as file:
            name = file.read()
    except FileNotFoundError:
        return
    if name == restored:
        return
    restored = name
    for module, seed in (("random", ("seed",)), ("numpy", ("random", "seed"))):
        try:
            function = sys.modules[module]
            for attribute in seed:
                function = getattr(function, attribute)
            function()
        except Exception:
            # Not loaded, or something else by its name.
            pass


def cell(directory, number, space):
    renew(directory)
    ends = [os.open(os.path.join(directory, name), os.O_WRONLY) for name in ("out", "err", "results", "done")]
    try:
        with open(os.path.join(directory, "code"), encoding="utf-8") as file:
            code = file.read()
        os.dup2(ends[0], 1)
        os.dup2(ends[1], 2)
        results = Results(ends[2])
        space["display"] = lambda *values: [
            results.send({"type": "result", "main": False, "data": bundle(value)}) for value in values] and None
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            ended_well = run(code, f"<cell {number}>", space, results)
        except KeyboardInterrupt:
            ended_well = False
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:
                pass
        results.send({"type": "end", "ok": ended_well})
        # Whoever dies before this has not ended its cell.
        os.write(ends[3], b".")
    except BrokenPipeError:
        # Nobody waits for this cell any more.
        pass
    finally:
        null = os.open("/dev/null", os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.close(null)
        for end in ends:
            os.close(end)


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    # A cell's input is empty, and not the requests of others.
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    sys.stdout.reconfigure(line_buffering=True, errors="replace")
    sys.stderr.reconfigure(line_buffering=True, errors="replace")
    module = types.ModuleType("__main__")
    module.__builtins__ = builtins
    sys.modules["__main__"] = module
    sys.path[0] = os.getcwd()
    sys.argv = [""]
    for number, line in enumerate(requests, 1):
        cell(line.rstrip("\n"), number, module.__dict__)


main()
