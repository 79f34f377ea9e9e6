"""The real contexts as git repositories with their histories, laid out in one pass of `git fast-import` each.

The same commits, paths and last state as the corpus' own `materialise.py --history`, which runs git for each commit and takes a
quarter of an hour for all; `same_as_materialised` holds one against the other.
"""

import json
import os
import subprocess
import sys
import tarfile
from collections import defaultdict
from pathlib import Path

UNREAD = b"\xff\xfe text not collected\n"


def archives(corpus: Path) -> dict[str, dict[str, bytes]]:
    """What is stored of each context: meta.json, files.tsv, manifests/…, history.jsonl."""
    found: dict[str, dict[str, bytes]] = defaultdict(dict)
    with tarfile.open(corpus / "contexts.tar.gz") as tar:
        for member in tar:
            parts = member.name.split("/", 2)
            if member.isfile() and len(parts) == 3:
                found[parts[1]][parts[2]] = tar.extractfile(member).read()
    return found


def dockerfile_of(files: dict[str, bytes]) -> str:
    """Where the Dockerfile lies in its context."""
    meta = json.loads(files["meta.json"])
    context = "" if meta["context"] in (".", "") else meta["context"].rstrip("/") + "/"
    return meta["dockerfile"][len(context):] if meta["dockerfile"].startswith(context) else "Dockerfile"


def last_state(files: dict[str, bytes]) -> dict[str, bytes]:
    """The context as it is now."""
    state = {}
    for line in files["files.tsv"].decode("utf-8", "replace").splitlines()[1:]:
        mode, _blob, _size, path = line.split("\t", 3)
        if not mode.startswith("16"):
            state[path] = UNREAD
    state |= {name[len("manifests/"):]: data for name, data in files.items() if name.startswith("manifests/")}
    state[dockerfile_of(files)] = files["Dockerfile"]
    if ".dockerignore" in files:
        state[".dockerignore"] = files[".dockerignore"]
    return state


class Stream:
    """A fast-import stream, and what the tree holds by then."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.held: set[str] = set()
        self.folders: dict[str, int] = defaultdict(int)

    def commit(self, words: str, date: int) -> None:
        self.parts.append(b"commit refs/heads/main\ncommitter corpus <corpus@invalid> %d +0000\n" % date)
        self.data(words.encode())

    def data(self, data: bytes) -> None:
        self.parts.append(b"data %d\n" % len(data) + data + b"\n")

    def write(self, path: str, data: bytes) -> None:
        """As on a disk: nothing where a folder is, or a file where a folder would have to be."""
        above = [path[:end] for end, character in enumerate(path) if character == "/"]
        if self.folders[path] or any(folder in self.held for folder in above):
            return
        if path not in self.held:
            self.held.add(path)
            for folder in above:
                self.folders[folder] += 1
        self.parts.append(b"M 100644 inline " + quoted(path) + b"\n")
        self.data(data)

    def remove(self, path: str) -> None:
        if path in self.held:
            self.held.remove(path)
            for end in (end for end, character in enumerate(path) if character == "/"):
                self.folders[path[:end]] -= 1
            self.parts.append(b"D " + quoted(path) + b"\n")


def quoted(path: str) -> bytes:
    return b'"' + path.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'


def lay_out(files: dict[str, bytes], root: Path) -> Path:
    """Makes `root` a repository with the context's history; its Dockerfile's path."""
    dockerfile = root / dockerfile_of(files)
    done = root.with_name(root.name + ".done")
    if done.is_file():
        return dockerfile
    state = last_state(files)
    history = [json.loads(line) for line in files.get("history.jsonl", b"").decode().splitlines() if line][::-1]
    last_touch = {path: number for number, commit in enumerate(history) for _status, path in commit["changes"]}
    first = dict(state)
    for commit in history:
        for status, path in commit["changes"]:
            if status == "D":
                first.setdefault(path, UNREAD)
    first |= {path: b"before the first commit\n" for path in last_touch if path in first}
    stream = Stream()
    stream.commit("start", 1_767_225_600)
    for path, data in first.items():
        stream.write(path, data)
    for number, commit in enumerate(history):
        stream.commit(commit["commit"][:12], seconds(commit["date"]))
        for _status, path in commit["changes"]:
            if last_touch[path] != number:
                stream.write(path, f"change {number}\n".encode())
            elif path in state:
                stream.write(path, state[path])
            else:
                stream.remove(path)
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "-q", "-b", "main")
    git(root, "fast-import", "--quiet", "--force", stdin=b"".join(stream.parts))
    git(root, "reset", "-q", "--hard")
    done.touch()
    return dockerfile


def seconds(date: str) -> int:
    import datetime

    return int(datetime.datetime.fromisoformat(date.replace("Z", "+00:00")).timestamp())


def git(root: Path, *words: str, stdin: bytes = b"") -> str:
    own = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(["git", "-C", str(root), *words], input=stdin, capture_output=True, env=own)
    if done.returncode:
        sys.exit(f"git {words[0]} in {root}: {done.stderr.decode('utf-8', 'replace')}")
    return done.stdout.decode("utf-8", "replace")


def same_as_materialised(corpus: Path, context: str, mine: Path, scratch: Path) -> str:
    """What differs between a repository of ours and the one that the corpus' own script makes; nothing if all is well."""
    theirs = scratch / context
    subprocess.run([sys.executable, corpus / "materialise.py", context, theirs, "--history"], check=True, capture_output=True)
    log = ["log", "--format=%x01%s", "--name-status", "--no-renames"]
    for what in (log, ["ls-files", "-s"]):
        if git(mine, *what) != git(theirs, *what):
            return f"{context}: git {what[0]} differs"
    return ""
