#!/usr/bin/env python3
"""Over all 10,876 corpus files: what `dockeropt fix --write` leaves behind is still a good Dockerfile.

For each way of calling it (plain, --unsafe, each transform alone):

    accepted    the builder's own parser accepts every output whose input it accepted
    comments    every comment line of the input is in the output (as a multiset); a `# syntax=` line may be new, or raised
    line ends   a file with CRLF only keeps CRLF only; LF only keeps LF only
    BOM, end    a BOM and the last newline are there if, and only if, they were
    honest      a file's bytes differ if, and only if, its record says "changed"; one record for each file
    once        a second run changes no byte
    guards      no culprit in any record, every run stops at its fixpoint, exit 0
    tidy        nothing but the files themselves is left in the folder

Independent: comments are read here by line, with the heredocs' places from the builder's parser; nothing asks our parser.

    DOCKEROPT_CORPUS=… tests/corpus/accept.py [--only NAME]      NAME: a way of calling it, as printed
"""

import argparse
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import common
from common import BOM, FILES_IN_CORPUS, Failures

WAYS = {
    "fix": [],
    "fix --unsafe": ["--unsafe"],
    "fix --only cache-mounts": ["--only", "cache-mounts"],
    "fix --only syntax-header": ["--only", "syntax-header"],
}
SYNTAX_LINE = re.compile(rb"^#[ \t]*syntax[ \t]*=", re.I)


@dataclass
class Before:
    """What is to hold again afterwards."""

    accepted: bool
    comments: Counter


def heredoc_lines(instructions: list[dict]) -> set[int]:
    """1-based numbers of the lines inside heredocs: the last lines of an instruction that has some."""
    inside = set()
    for instruction in instructions:
        body = sum(h["content"].count("\n") + 1 for h in instruction["heredocs"])
        inside.update(range(instruction["end"] - body + 1, instruction["end"] + 1))
    return inside


def comments(data: bytes, instructions: list[dict] | None) -> Counter:
    """The comment lines outside heredocs, line ends off. Where the parser rejects the file: all lines that begin with #."""
    inside = heredoc_lines(instructions or [])
    found = Counter()
    for number, line in enumerate(data.removeprefix(BOM).split(b"\n"), 1):
        if number not in inside and line.lstrip(b" \t").startswith(b"#"):
            found[line.rstrip(b"\r")] += 1
    return found


def line_ends(data: bytes) -> str:
    """`crlf`, `lf`, `mixed`, or `none` in a file of one line without an end."""
    crlf, newlines = data.count(b"\r\n"), data.count(b"\n")
    if newlines == 0:
        return "none"
    return "crlf" if crlf == newlines else "lf" if crlf == 0 else "mixed"


def read_before(path: str) -> Before:
    """In a worker: the facts of an input file."""
    data = Path(path).read_bytes()
    instructions = common.parse_bytes(data)
    return Before(instructions is not None, comments(data, instructions))


def compare(task: tuple[str, str, Before]) -> list[tuple[str, str]]:
    """In a worker: what a changed file lost, as (kind, words)."""
    before_path, after_path, facts = task
    before, after = Path(before_path).read_bytes(), Path(after_path).read_bytes()
    wrong = []
    instructions = common.parse_bytes(after)
    if facts.accepted and instructions is None:
        wrong.append(("accepted", "the builder's parser rejects the output"))
    now = comments(after, instructions)
    for line, count in (facts.comments - now).items():
        if not (SYNTAX_LINE.match(line) and any(SYNTAX_LINE.match(new) for new in now - facts.comments)):
            wrong.append(("comments", f"lost {count} × {line.decode('utf-8', 'replace')!r}"))
    for line, count in (now - facts.comments).items():
        if not SYNTAX_LINE.match(line):
            wrong.append(("comments", f"new {count} × {line.decode('utf-8', 'replace')!r}"))
    was, ends = line_ends(before), line_ends(after)
    if was in ("crlf", "lf") and ends != was:
        wrong.append(("line ends", f"{was} became {ends}"))
    if before.startswith(BOM) != after.startswith(BOM) or after.count(BOM) != before.count(BOM):
        wrong.append(("BOM", "lost, moved or new"))
    if before.endswith(b"\n") != after.endswith(b"\n"):
        wrong.append(("last newline", "lost" if before.endswith(b"\n") else "new"))
    return wrong


def check_records(run: common.Run, names: list[str], failures: Failures) -> None:
    """Every file has its record, none has a culprit, every run came to rest."""
    for name in names:
        record = run.records.get(name)
        if record is None:
            failures.add("honest", f"{name}: no record")
            continue
        for culprit in record.get("culprits", []):
            failures.add("guards", f"{name}: culprit {culprit}")
        if record.get("stop") != "fixpoint":
            failures.add("guards", f"{name}: stopped at {record.get('stop')!r} after {record.get('passes')} passes")
    if any(run.exit_codes):
        failures.add("guards", f"exit codes {run.exit_codes}; stderr begins {run.errors[:300]!r}")


def check_way(way: str, before: Path, names: list[str], facts: dict[str, Before], work: Path) -> bool:
    """Runs one way of calling the tool over all files, twice; prints its line and what failed. True where nothing did."""
    start, failures = time.monotonic(), Failures()
    folder = work / re.sub(r"\W+", "-", way)
    shutil.copytree(before, folder)
    first = common.run_fix(folder, names, "--write", *WAYS[way])
    check_records(first, names, failures)

    changed, outputs = [], {}
    for name in names:
        old, new = (before / name).read_bytes(), (folder / name).read_bytes()
        outputs[name] = new
        if old != new:
            changed.append(name)
        if (old != new) != first.records.get(name, {}).get("changed", False):
            failures.add("honest", f"{name}: bytes {'differ' if old != new else 'are the same'}, the record says otherwise")
    tasks = [(str(before / name), str(folder / name), facts[name]) for name in changed]
    for name, wrong in zip(changed, common.in_parallel(compare, tasks)):
        for kind, words in wrong:
            failures.add(kind, f"{name}: {words}")

    second = common.run_fix(folder, names, "--write", *WAYS[way])
    check_records(second, names, failures)
    for name in names:
        if (folder / name).read_bytes() != outputs[name]:
            failures.add("once", f"{name}: a second run changed it again")
        elif second.records.get(name, {}).get("changed"):
            failures.add("once", f"{name}: the second run says that it changed it")
    for stray in sorted({p.name for p in folder.iterdir()} - set(names))[:5]:
        failures.add("tidy", stray)

    accepted = sum(facts[name].accepted for name in names)
    applied = Counter(a["transform"] for r in first.records.values() for a in r.get("applied", []))
    print(
        f"{way}: {len(names)} files read, {len(changed)} changed, {accepted} accepted before and "
        f"{accepted - len(failures.found.get('accepted', []))} after; applied {dict(applied)}; "
        f"fix {first.seconds:.1f} s and {second.seconds:.1f} s, in all {time.monotonic() - start:.1f} s; "
        f"{'FAILED' if failures else 'ok'}"
    )
    if failures:
        print(failures.report())
    shutil.rmtree(folder)
    return not failures


def main() -> int:
    """All ways, or the one asked for."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", choices=WAYS, help="one way of calling the tool")
    options = arguments.parse_args()
    corpus = common.corpus_folder()
    common.tool()
    with tempfile.TemporaryDirectory(prefix="dockeropt-accept-") as work:
        before = Path(work) / "before"
        names = common.extract(corpus, before)
        assert len(names) == FILES_IN_CORPUS
        facts = dict(zip(names, common.in_parallel(read_before, [str(before / name) for name in names])))
        oracle = common.read_oracle(corpus)
        differing = [n for n in names if facts[n].accepted != (oracle[n] is not None)]
        assert not differing, f"the installed parser and oracle.jsonl.gz disagree on {differing[:5]}"
        print(
            f"{len(names)} files read: {sum(f.accepted for f in facts.values())} accepted by the builder's parser, "
            f"{sum(f.comments.total() for f in facts.values())} comment lines outside heredocs"
        )
        ways = [options.only] if options.only else list(WAYS)
        good = [check_way(way, before, names, facts, Path(work)) for way in ways]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
