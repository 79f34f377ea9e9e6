"""What the corpus measurements share: finding the corpus and the binary, running it, and asking the builder's own parser.

Nothing in this folder uses dockeropt's own reading of a Dockerfile. Instructions come from the builder's parser
(`dockerfile` on PyPI wraps moby/buildkit's), so that a mistake of ours cannot hide itself from the measurement.

Environment:
    DOCKEROPT_CORPUS  the folder with dockerfiles.tar.gz, oracle.jsonl.gz, … Without it a script says so and ends with 0
                      (with 1 where CI is set: there a missing corpus must not look like a pass).
    DOCKEROPT         the binary; target/release/dockeropt of this repository by default.
"""

import difflib
import gzip
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tarfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

FILES_IN_CORPUS = 10_876
REPOSITORY = Path(__file__).resolve().parents[2]
BOM = b"\xef\xbb\xbf"


# --- Where things are ---------------------------------------------------------------------------------------------


def corpus_folder() -> Path:
    """The corpus, or the end of the script with a clear word."""
    name = os.environ.get("DOCKEROPT_CORPUS", "")
    if not name:
        print(f"{Path(sys.argv[0]).name}: skipped, DOCKEROPT_CORPUS is not set (the folder with dockerfiles.tar.gz)")
        sys.exit(1 if os.environ.get("CI") else 0)
    folder = Path(name).resolve()
    if not (folder / "dockerfiles.tar.gz").is_file():
        sys.exit(f"{folder}: no dockerfiles.tar.gz there; DOCKEROPT_CORPUS must name the corpus folder")
    return folder


def tool() -> str:
    """The binary under test."""
    name = os.environ.get("DOCKEROPT") or str(REPOSITORY / "target" / "release" / "dockeropt")
    path = Path(name).resolve()
    if not os.access(path, os.X_OK):
        sys.exit(f"{path}: no such program; build it (cargo build --release) or set DOCKEROPT")
    return str(path)


def extract(corpus: Path, folder: Path) -> list[str]:
    """Lays every corpus Dockerfile out in `folder` and returns their names; fails unless all of them are there."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    with tarfile.open(corpus / "dockerfiles.tar.gz") as tar:
        for member in tar:
            if member.isfile() and member.name.endswith(".Dockerfile"):
                name = Path(member.name).name
                (folder / name).write_bytes(tar.extractfile(member).read())
                names.append(name)
    assert len(names) == FILES_IN_CORPUS, f"{len(names)} files in the corpus, {FILES_IN_CORPUS} expected"
    return sorted(names)


def read_oracle(corpus: Path) -> dict[str, list[dict] | None]:
    """The stored answer of the builder's parser for each file; None where it rejects the file."""
    answers = {}
    with gzip.open(corpus / "oracle.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            answer = json.loads(line)
            answers[answer["file"] + ".Dockerfile"] = answer.get("instructions")
    assert len(answers) == FILES_IN_CORPUS, f"{len(answers)} answers of the oracle, {FILES_IN_CORPUS} expected"
    return answers


# --- The tool -----------------------------------------------------------------------------------------------------


@dataclass
class Run:
    """What `dockeropt fix --format json` said over many files."""

    records: dict[str, dict]
    exit_codes: list[int]
    errors: str
    seconds: float


def run_fix(folder: Path, names: list[str], *options: str) -> Run:
    """Runs `dockeropt fix --format json OPTIONS` in `folder` over `names`, in as few calls as the system lets us."""
    records, codes, errors, start = {}, [], [], time.monotonic()
    for part in chunks_for_argv(names):
        call = [tool(), "fix", "--format", "json", *options, *part]
        done = subprocess.run(call, cwd=folder, capture_output=True)
        codes.append(done.returncode)
        errors.append(done.stderr.decode("utf-8", "replace"))
        for number, line in enumerate(done.stdout.decode("utf-8", "replace").split("\n"), 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except ValueError:
                sys.exit(f"dockeropt fix --format json: line {number} of its output is not JSON: {line[:200]!r}")
            records[record["file"]] = record
    return Run(records, codes, "".join(errors), time.monotonic() - start)


def chunks_for_argv(names: list[str], limit: int = 1_000_000) -> list[list[str]]:
    """Splits names so that each part fits on one command line."""
    parts, size = [[]], 0
    for name in names:
        if size + len(name) + 9 > limit:
            parts.append([])
            size = 0
        parts[-1].append(name)
        size += len(name) + 9
    return parts


# --- The builder's parser -----------------------------------------------------------------------------------------


def parse(text: str) -> list[dict] | None:
    """The builder's parser on a text: its instructions in the shape of oracle.jsonl.gz, or None where it rejects it."""
    import dockerfile  # in the worker, never before a fork: it carries a Go runtime

    try:
        commands = dockerfile.parse_string(text)
    except (dockerfile.GoParseError, ValueError):
        return None
    return [
        {
            "cmd": command.cmd,
            "sub_cmd": command.sub_cmd,
            "json": command.json,
            "start": command.start_line,
            "end": command.end_line,
            "flags": list(command.flags),
            "value": list(command.value),
            "heredocs": [
                {"name": h.name, "fd": h.file_descriptor, "content": h.content} for h in command.heredocs
            ],
        }
        for command in commands
    ]


def parse_bytes(data: bytes) -> list[dict] | None:
    """`parse` for the bytes of a file; text that is not UTF-8 counts as rejected."""
    try:
        return parse(data.decode("utf-8"))
    except UnicodeDecodeError:
        return None


def in_parallel(function, tasks: list, chunk: int = 64) -> list:
    """`[function(task) for task in tasks]` over all cores, in order."""
    if not tasks:
        return []
    workers = os.cpu_count() or 1
    # spawn, not fork: the parser's Go runtime does not survive a fork
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        return pool.map(function, tasks, chunksize=chunk)


# --- Steps --------------------------------------------------------------------------------------------------------


def is_run(instruction: dict) -> bool:
    """Whether this is a RUN of this build (an ONBUILD RUN is not)."""
    return instruction["cmd"].lower() == "run"


def mounts_of(instruction: dict) -> list[dict[str, str]]:
    """The --mount flags as dictionaries, keys in lower case, `dst` and `destination` as `target`."""
    found = []
    for flag in instruction["flags"]:
        if not flag.lower().startswith("--mount="):
            continue
        mount = {}
        for part in flag[len("--mount="):].split(","):
            key, _, value = part.partition("=")
            key = {"dst": "target", "destination": "target", "src": "source"}.get(key.strip().lower(), key.strip().lower())
            mount[key] = value.strip().strip("\"'")
        mount.setdefault("type", "bind")
        found.append(mount)
    return found


def body_of(instruction: dict) -> str:
    """The text of an instruction without its flags, white space squeezed: what identifies a step before and after."""
    parts = [instruction["cmd"].upper(), instruction["sub_cmd"] or "", *instruction["value"]]
    parts += [h["content"] for h in instruction["heredocs"]]
    return " ".join(" ".join(parts).split())


def flags_but_mounts(instruction: dict) -> tuple[str, ...]:
    """The flags that are no cache mounts."""
    return tuple(f for f in instruction["flags"] if not re.match(r"--mount=.*type=cache", f, re.I))


def align(before: list[dict], after: list[dict]) -> dict[int, int]:
    """Which instruction of `after` is which of `before` (indexes), by difflib on their texts without mounts.

    Where a stretch was rewritten, instructions are paired in order if their number is the same, else by likeness.
    """
    old = [body_of(i) for i in before]
    new = [body_of(i) for i in after]
    pairs = {}
    for tag, a0, a1, b0, b1 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal" or (tag == "replace" and a1 - a0 == b1 - b0):
            pairs.update(zip(range(a0, a1), range(b0, b1)))
        elif tag == "replace":
            pairs.update(align_by_likeness(old, new, range(a0, a1), range(b0, b1)))
    return pairs


def align_by_likeness(old: list[str], new: list[str], olds: range, news: range) -> dict[int, int]:
    """Pairs the texts first that share the most words, never crossing a pair that is already made.

    Half of the old text's words must be in the new one. (`RUN apt-get update` that went into the next two RUNs shares fewer
    words with either of them than they share with what they were.)
    """
    scored = []
    for a in olds:
        for b in news:
            ours, theirs = Counter(old[a].split()), Counter(new[b].split())
            shared = (ours & theirs).total()
            if 2 * shared >= ours.total():
                scored.append((shared * shared / ours.total(), a, b))
    pairs = {}
    for _, a, b in sorted(scored, key=lambda s: (-s[0], s[1], s[2])):
        if a in pairs or b in pairs.values():
            continue
        if not any((a - other) * (b - mate) < 0 for other, mate in pairs.items()):
            pairs[a] = b
    return pairs


# --- Printing -----------------------------------------------------------------------------------------------------


def table(header: list[str], rows: list[list]) -> str:
    """A plain table: first column to the left, the others to the right."""
    cells = [[str(c) for c in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = []
    for row in cells:
        first, *rest = (cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths)))
        lines.append("  ".join([first, *rest]).rstrip())
    lines.insert(1, "  ".join("-" * w for w in widths))
    return "\n".join(lines)


def percent(part: int, whole: int) -> str:
    """`97.3 %`, or a dash for nothing of nothing."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


@dataclass
class Failures:
    """Counts what went wrong by kind, with the first examples of each."""

    shown: int = 5
    found: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, example: str) -> None:
        self.found.setdefault(kind, []).append(example)

    def report(self) -> str:
        lines = []
        for kind, examples in sorted(self.found.items()):
            lines.append(f"  FAILED {kind}: {len(examples)}")
            lines += [f"    {example}" for example in examples[: self.shown]]
        return "\n".join(lines)

    def __bool__(self) -> bool:
        return bool(self.found)
