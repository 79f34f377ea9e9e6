"""Real build contexts on disk: laid out once by the corpus' own materialise.py, lent to a measurement, and put back as they were.

The folder that keeps them is in the system's temporary folder (DOCKEROPT_LAID_OUT names another); a lock lets one measurement at
a time have it, since the tool writes into it.
"""

import csv
import fcntl
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import common
from ignorefile import Ignore

CONTEXTS = 205
PAIRS = 144
UNREAD = b"\xff\xfe"


@dataclass
class Result:
    """What one way of calling the tool made of a Dockerfile, and what a second call then did."""

    text: str
    ignore: dict[str, str]  # ignore files that are other than before
    record: dict
    again: list[str]  # what the second run changed
    error: str = ""

    def refused(self) -> list[dict]:
        return self.record.get("refused", [])

    def applied(self) -> list[dict]:
        return self.record.get("applied", [])


@dataclass
class Context:
    """A Dockerfile in its context."""

    id: str
    row: dict
    root: Path
    dockerfile: Path
    before: str
    files: list[str]
    theirs: str = ""  # of a pair: what the maintainers made of it
    texts: dict[str, str | None] = field(default_factory=dict)

    def read(self, path: str) -> str | None:
        """The text of a file of the context; None where it was not collected."""
        if path not in self.texts:
            try:
                data = (self.root / path).read_bytes()
                self.texts[path] = None if data.startswith(UNREAD) else data.decode("utf-8", "replace")
            except OSError:
                self.texts[path] = None
        return self.texts[path]

    def ignore_path(self) -> str:
        """The ignore file that holds: `<Dockerfile>.dockerignore` goes before `.dockerignore`."""
        own = self.dockerfile.with_name(self.dockerfile.name + ".dockerignore")
        return str(own.relative_to(self.root)) if own.is_file() else ".dockerignore"

    def ignore(self, changed: dict[str, str] | None = None) -> Ignore:
        """What is not sent to the builder, before or after a fix."""
        path = self.ignore_path()
        if changed and path in changed:
            return Ignore(changed[path])
        where = self.root / path
        return Ignore(where.read_bytes().decode("utf-8", "replace") if where.is_file() else None)


def keeping_folder() -> Path:
    """Where contexts are kept."""
    return Path(os.environ.get("DOCKEROPT_LAID_OUT") or Path(tempfile.gettempdir()) / f"dockeropt-laid-out-{os.getuid()}")


@contextmanager
def lent() -> Iterator[Path]:
    """The keeping folder, for one measurement at a time."""
    folder = keeping_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def rows(corpus: Path, table: str) -> list[dict]:
    """The rows of contexts.tsv or human_pairs.tsv."""
    with open(corpus / f"{table}.tsv", newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file, delimiter="\t"))
    expected = {"contexts": CONTEXTS, "human_pairs": PAIRS}[table]
    assert len(found) == expected, f"{len(found)} rows in {table}.tsv, {expected} expected"
    return found


def metas(corpus: Path, table: str) -> dict[str, dict]:
    """meta.json of each id: where its Dockerfile lies."""
    found = {}
    with tarfile.open(corpus / f"{table}.tar.gz") as tar:
        for member in tar:
            parts = member.name.split("/")
            if len(parts) == 3 and parts[2] == "meta.json":
                found[parts[1]] = json.load(tar.extractfile(member))
    return found


def lay_out(corpus: Path, row: dict, meta: dict, keep: Path, how: str = "plain") -> Context:
    """A context or pair, laid out. how: `plain`, `tracked` (a git repository with one commit), `history` (its real commits)."""
    root = keep / how / row["id"]
    done = keep / how / (row["id"] + ".done")
    if not done.is_file():
        call = [sys.executable, str(corpus / "materialise.py"), row["id"], str(root), *(["--history"] if how == "history" else [])]
        made = subprocess.run(call, env={**os.environ, "CORPUS_DIR": str(corpus)}, capture_output=True, text=True)
        if made.returncode:
            sys.exit(f"materialise.py {row['id']}: {made.stderr}")
        if how == "tracked":
            commit_all(root)
        done.touch()
    context = "" if meta["context"] in (".", "") else meta["context"].rstrip("/") + "/"
    inside = meta["dockerfile"].startswith(context)
    dockerfile = root / (meta["dockerfile"][len(context):] if inside else "Dockerfile")
    files = sorted(path for path in walk(root) if path != ".git")
    theirs = root.parent / (root.name + ".after.Dockerfile")
    return Context(row["id"], row, root, dockerfile, read(dockerfile), files, read(theirs) if theirs.is_file() else "")


def commit_all(root: Path) -> None:
    """Makes a folder a git repository whose one commit holds all of it."""
    own = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    for words in (["init", "-q"], ["add", "-A", "-f"], ["-c", "user.name=c", "-c", "user.email=c@invalid", "commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-C", str(root), *words], check=True, env=own, stdout=subprocess.DEVNULL)


def walk(root: Path) -> Iterator[str]:
    """Every file below a folder, .git left out."""
    for folder, folders, names in os.walk(root):
        if ".git" in folders:
            folders.remove(".git")
        place = os.path.relpath(folder, root)
        for name in names:
            yield name if place == "." else f"{place}/{name}"


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def fix(context: Context, *options: str, text: str | None = None) -> Result:
    """Runs `dockeropt fix --write` in a context, twice, and puts the context back. `text`: run it on this instead of the file."""
    root, name = context.root, str(context.dockerfile.relative_to(context.root))
    kept = {context.dockerfile: context.dockerfile.read_bytes()}
    for ignore in {*root.glob(".dockerignore"), *context.dockerfile.parent.glob(context.dockerfile.name + ".dockerignore")}:
        kept[ignore] = ignore.read_bytes()
    try:
        if text is not None:
            context.dockerfile.write_bytes(text.encode("utf-8"))
        record, error = call(context, name, options)
        first = state(context)
        call(context, name, options)
        second = state(context)
    finally:
        for path in {root / ".dockerignore", Path(str(context.dockerfile) + ".dockerignore")} - kept.keys():
            path.unlink(missing_ok=True)
        for path, data in kept.items():
            path.write_bytes(data)
    was = {str(p.relative_to(root)): d.decode("utf-8", "replace") for p, d in kept.items()}
    changed = {p: t for p, t in first.items() if p != name and was.get(p) != t}
    again = sorted(p for p in first.keys() | second.keys() if first.get(p) != second.get(p))
    return Result(first[name], changed, record, again, error)


def call(context: Context, name: str, options: tuple[str, ...]) -> tuple[dict, str]:
    """One run: its record, and what went wrong."""
    words = [common.tool(), "fix", "--format", "json", "--write", *options, "--context", str(context.root), name]
    done = subprocess.run(words, cwd=context.root, capture_output=True)
    lines = [line for line in done.stdout.decode("utf-8", "replace").split("\n") if line.strip()]
    error = "" if done.returncode == 0 else f"exit {done.returncode}: {' '.join(done.stderr.decode('utf-8', 'replace').split())[:300]}"
    try:
        return (json.loads(lines[0]) if lines else {}), error
    except ValueError:
        return {}, f"its output is not JSON: {lines[0][:200]!r}"


def state(context: Context) -> dict[str, str]:
    """The files that the tool may write, as they are now."""
    root = context.root
    paths = {context.dockerfile, root / ".dockerignore", Path(str(context.dockerfile) + ".dockerignore")}
    return {str(p.relative_to(root)): p.read_bytes().decode("utf-8", "replace") for p in paths if p.is_file()}
