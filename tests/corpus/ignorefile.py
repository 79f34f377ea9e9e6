"""A small reader of ignore files, written from the manual and not from src/context: which paths of a context a builder never sees.

https://docs.docker.com/build/concepts/context/#dockerignore-files: one pattern a line, `#` in the first column is a comment, blanks
around a pattern and a leading or trailing slash mean nothing, `.` and `..` are cleaned away, `*`, `?` and `[…]` stay within one
path element, `**` is any number of folders, `!` takes an exception; the last line that matches decides. A pattern that matches
a folder matches all below it.
"""

import posixpath
import re


def patterns(text: str) -> list[tuple[bool, re.Pattern]]:
    """Each line as (whether it ignores, what it matches)."""
    found = []
    for line in text.removeprefix("\ufeff").splitlines():
        if line.startswith("#"):
            continue
        line = line.strip()
        negated = line.startswith("!")
        line = line.lstrip("!").strip() if negated else line
        if not line:
            continue
        line = posixpath.normpath(line).lstrip("/")
        if line in ("", "."):
            continue
        found.append((not negated, re.compile(expression(line) + r"(?:/.*)?", re.S)))
    return found


def expression(pattern: str) -> str:
    """A pattern as a regular expression (without what follows a folder)."""
    out, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**", at):
            at += 2
            if pattern.startswith("/", at):
                at += 1
                out += "(?:.*/)?"
            else:
                out += ".*"
            continue
        if char == "[" and (end := pattern.find("]", at + 1)) > at:
            out += "[" + pattern[at + 1 : end].replace("\\", "\\\\") + "]"
            at = end
        elif char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "\\" and at + 1 < len(pattern):
            at += 1
            out += re.escape(pattern[at])
        else:
            out += re.escape(char)
        at += 1
    return out


class Ignore:
    """What one ignore file leaves out."""

    def __init__(self, text: str | None):
        self.lines = patterns(text or "")

    def ignored(self, path: str) -> bool:
        """Whether a path of the context is left out."""
        verdict = False
        for ignores, pattern in self.lines:
            if ignores != verdict and pattern.fullmatch(path):
                verdict = ignores
        return verdict
