#!/usr/bin/env python3
"""Over all 10,876 corpus files: what `dockeropt fix --write` leaves behind is still a good Dockerfile.

For each way of calling it (plain, --unsafe, each transform alone):

    accepted    the builder's own parser accepts every output whose input it accepted
    comments    every comment line of the input is in the output (as a multiset); a `# syntax=` line may be new, or raised
    line ends   a file with CRLF only keeps CRLF only; LF only keeps LF only
    BOM, end    a BOM and the last newline are there if, and only if, they were
    honest      a file's bytes differ if, and only if, its record says "changed"; one record for each file
    once        a second run changes no byte
    shell       bash still parses the text of every RUN that it parsed before (`bash -n`; each changed text once)
    guards      no culprit in any record, every run stops at its fixpoint; exit 0, or 2 with an error for just those
                files that the builder's parser rejects
    tidy        nothing but the files themselves is left in the folder

Independent: comments are read here by line, with the heredocs' places from the builder's parser, shell text by bash; nothing asks our parsers.

    DOCKEROPT_CORPUS=… tests/corpus/accept.py [--only NAME] [--examples N]      NAME: a way of calling it, as printed
"""

import argparse
import hashlib
import re
import shutil
import subprocess
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


def shell_text(instruction: dict) -> str | None:
    """What the shell gets of a RUN; None where it gets nothing (exec form, a heredoc for another program)."""
    if instruction["json"]:
        return None
    text, heredocs = " ".join(instruction["value"]), instruction["heredocs"]
    if not heredocs:
        return text
    if re.fullmatch(r"\s*\d*<<-?\s*\S+\s*", text) and not re.match(r"\s*#!(?!.*\b(ba|da|a)?sh\b)", heredocs[0]["content"]):
        return heredocs[0]["content"]
    return None


def parses(text: str) -> bool:
    """Whether bash can read it."""
    return subprocess.run(["bash", "-n"], input=text.encode("utf-8"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def shell_broken(pair: tuple[str, str]) -> bool:
    """In a worker: whether bash can read the first and not the second."""
    before, after = pair
    return not parses(after) and parses(before)


def changed_shell(before: list[dict], after: list[dict]) -> list[tuple[str, str, int]]:
    """The RUNs whose shell text was changed: before, after, line."""
    found = []
    for old, new in common.align(before, after).items():
        if common.is_run(before[old]) and common.is_run(after[new]):
            texts = shell_text(before[old]), shell_text(after[new])
            if None not in texts and texts[0] != texts[1]:
                found.append((*texts, after[new]["start"]))
    return found


def compare(task: tuple[str, str, Before]) -> tuple[list[tuple[str, str]], list[tuple[str, str, int]]]:
    """In a worker: what a changed file lost, as (kind, words), and its RUNs with another shell text."""
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
    old = common.parse_bytes(before) if facts.accepted else None
    return wrong, changed_shell(old, instructions) if old and instructions else []


def check_records(run: common.Run, facts: dict[str, Before], failures: Failures) -> None:
    """Every file has its record, none has a culprit, every run came to rest; errors for what the builder rejects only."""
    errors = 0
    for name, fact in facts.items():
        record = run.records.get(name)
        if record is None:
            failures.add("honest", f"{name}: no record")
            continue
        if "error" in record:
            errors += 1
            if fact.accepted:
                failures.add("guards", f"{name}: accepted by the builder, but {record['error']}")
            continue
        for culprit in record.get("culprits", []):
            failures.add("guards", f"{name}: culprit {culprit}")
        if record.get("stop") != "fixpoint":
            failures.add("guards", f"{name}: stopped at {record.get('stop')!r} after {record.get('passes')} passes")
    if set(run.exit_codes) - ({0, 2} if errors else {0}) or (errors and 2 not in run.exit_codes):
        failures.add("guards", f"exit codes {run.exit_codes} with {errors} errors; stderr begins {run.errors[:300]!r}")


#: What `compare` found, by file and output: two ways often come to the same bytes.
COMPARED: dict[tuple[str, bytes], tuple[list, list]] = {}

#: Pairs of shell texts that were looked at, and whether the second is broken: the ways change most RUNs alike.
LOOKED_AT: dict[tuple[str, str], bool] = {}


def check_shell(changed: dict[str, list[tuple[str, str, int]]], failures: Failures) -> int:
    """bash on every changed text; how many there were."""
    new = list({(old, text) for runs in changed.values() for old, text, _ in runs} - LOOKED_AT.keys())
    LOOKED_AT.update(zip(new, common.in_parallel(shell_broken, new)))
    for name, runs in changed.items():
        for old, text, line in runs:
            if LOOKED_AT[old, text]:
                failures.add("shell", f"{name}:{line}: bash no longer parses …{text[-160:]!r}")
    return sum(map(len, changed.values()))


def check_way(way: str, before: Path, names: list[str], facts: dict[str, Before], work: Path, examples: int) -> bool:
    """Runs one way of calling the tool over all files, twice; prints its line and what failed. True where nothing did."""
    start, failures = time.monotonic(), Failures(examples)
    folder = work / re.sub(r"\W+", "-", way)
    shutil.copytree(before, folder)
    first = common.run_fix(folder, names, "--write", *WAYS[way])
    check_records(first, facts, failures)

    changed, outputs = [], {}
    for name in names:
        old, new = (before / name).read_bytes(), (folder / name).read_bytes()
        outputs[name] = new
        if old != new:
            changed.append(name)
        if (old != new) != first.records.get(name, {}).get("changed", False):
            failures.add("honest", f"{name}: bytes {'differ' if old != new else 'are the same'}, the record says otherwise")
    keys = {name: (name, hashlib.sha1(outputs[name]).digest()) for name in changed}
    new = [name for name in changed if keys[name] not in COMPARED]
    tasks = [(str(before / name), str(folder / name), facts[name]) for name in new]
    COMPARED.update(zip((keys[name] for name in new), common.in_parallel(compare, tasks)))
    shell = {}
    for name in changed:
        wrong, shell[name] = COMPARED[keys[name]]
        for kind, words in wrong:
            failures.add(kind, f"{name}: {words}")
    texts = check_shell(shell, failures)

    second = common.run_fix(folder, names, "--write", *WAYS[way])
    check_records(second, facts, failures)
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
        f"{accepted - len(failures.found.get('accepted', []))} after, "
        f"{texts} RUNs with another shell text read by bash; applied {dict(applied)}; "
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
    arguments.add_argument("--examples", type=int, default=5, metavar="N", help="how many examples of each failure to print")
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
        good = [check_way(way, before, names, facts, Path(work), options.examples) for way in ways]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
