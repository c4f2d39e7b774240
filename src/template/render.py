"""Renders results by Jinja2 templates. Run inside stoq, by renderer.cpp."""
import json
import re
import traceback

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_TEXT = 256 << 20  # characters of one document
MOST_REPEATED = 1 << 24  # characters or items that one operation makes
MOST_BITS = 1 << 16

# What moves a terminal's cursor, or makes a line look like another: escaped, as in the log. A line
# end as well: a file's name may hold one.
_HARMFUL = [*range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F),
            *range(0x2066, 0x206A), 0xFEFF]
_ESCAPES = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
            for code in _HARMFUL if code != 0x09}


class TimeIsUp(BaseException):
    """Raised from outside, wherever the template is; no template can catch it."""


class Environment(ImmutableSandboxedEnvironment):
    """Bounds what one operation may make: nothing interrupts those."""

    intercepted_binops = frozenset(["*", "**"])

    def call_binop(self, context, operator, left, right):
        if operator == "**" and isinstance(left, int) and isinstance(right, int):
            if left.bit_length() * max(right, 0) > MOST_BITS:
                raise OverflowError("the power is too large")
        for items, times in ((left, right), (right, left)):
            if operator == "*" and hasattr(items, "__len__") and isinstance(times, int):
                if len(items) * max(times, 0) > MOST_REPEATED:
                    raise OverflowError("repeated too often")
        return super().call_binop(context, operator, left, right)


def clean(value):
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item) for item in value]
    return value


def of_worker(document, worker):
    """The document as a run with this worker only would have it."""
    results = []
    for result in document.get("results", []):
        every = result.get("scan") or {}
        scan = every.get(worker)
        if "file" in every:
            scan = {"file": every["file"], **(scan if isinstance(scan, dict) else {})}
        results.append({**result, "plugin": worker, "scan": scan})
    plugins = {key: worker if plugin == "stoq" else plugin
               for key, plugin in document.get("plugins", {}).items()}
    return {**document, "plugins": plugins, "results": results}


def explain(error, name, folder):
    """What went wrong, with the file and line of the innermost template."""
    place = None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith(folder + "/"):
            place = f"{frame.filename}:{frame.lineno}"
    if isinstance(error, jinja2.TemplateSyntaxError):
        place = f"{error.filename or folder + '/' + name}:{error.lineno}"
    if isinstance(error, jinja2.TemplateNotFound):
        what = f"there is no template '{error.message}' in {folder}"
    else:
        what = f"{type(error).__name__}: {error}"
    return re.sub(r"\s+", " ", f"{place or folder + '/' + name}: {what}").translate(_ESCAPES)


class Failed(Exception):
    pass


class Renderer:
    def __init__(self, name, places, one_worker):
        self.one_worker = one_worker
        self.name = name
        self.templates = []
        for worker, folder in places:
            environment = Environment(loader=jinja2.FileSystemLoader(folder), trim_blocks=True,
                                      lstrip_blocks=True, auto_reload=False)
            try:
                self.templates.append((worker, folder, environment.get_template(name)))
            except Exception as error:
                raise Failed(explain(error, name, folder)) from None

    def render(self, text):
        try:
            document = clean(json.loads(text))
            whole = "".join(self.one(document, *template) for template in self.templates)
            return whole.encode("utf-8", "backslashreplace")
        except TimeIsUp:
            raise Failed(f"{self.name}: does not end in time (--plugin-timeout)") from None

    def one(self, document, worker, folder, template):
        results = document if self.one_worker else of_worker(document, worker)
        pieces, size = [], 0
        try:
            for piece in template.generate(results=results):
                size += len(piece)
                if size > MOST_TEXT:
                    raise OverflowError("the text is too long")
                pieces.append(piece)
        except Exception as error:
            raise Failed(explain(error, self.name, folder)) from None
        rendered = "".join(pieces)
        if not rendered.strip():
            return ""
        return rendered if rendered.endswith("\n") else rendered + "\n"
