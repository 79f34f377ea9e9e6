"""The files of a context that a step finds in its file system, by their paths in the container."""

import json
import posixpath
import re
import tomllib
from collections.abc import Callable, Iterator


class Tree:
    """The files of the context that a step finds in its file system."""

    def __init__(self, files: dict[str, str], read: Callable[[str], str | None]):
        self.files = files
        self._read = read

    def __contains__(self, path: str) -> bool:
        return path in self.files

    def text(self, path: str) -> str | None:
        return self._read(self.files[path]) if path in self.files else None

    def json(self, path: str) -> dict:
        try:
            found = json.loads((self.text(path) or "{}").removeprefix("\ufeff"))
            return found if isinstance(found, dict) else {}
        except ValueError:
            return {}

    def toml(self, path: str) -> dict:
        try:
            return tomllib.loads(self.text(path) or "")
        except tomllib.TOMLDecodeError:
            return {}

    def below(self, folder: str) -> list[str]:
        prefix = folder.rstrip("/") + "/"
        return [path for path in self.files if path.startswith(prefix)]

    def is_folder(self, folder: str) -> bool:
        prefix = folder.rstrip("/") + "/"
        return any(path.startswith(prefix) for path in self.files)

    def glob(self, folder: str, pattern: str, last: str = "") -> list[str]:
        """Files `folder/pattern[/last]`; `**` is any number of folders."""
        whole = posixpath.normpath(f"{folder}/{pattern}" + (f"/{last}" if last else ""))
        expression = re.escape(whole).replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
        compiled = re.compile(expression)
        return [path for path in self.files if compiled.fullmatch(path)]


def join(folder: str, *parts: str) -> str:
    return posixpath.normpath(posixpath.join(folder, *parts))


def upwards(folder: str) -> Iterator[str]:
    """A folder and those above it."""
    while True:
        yield folder
        if folder == posixpath.dirname(folder):
            return
        folder = posixpath.dirname(folder)
