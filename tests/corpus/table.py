#!/usr/bin/env python3
"""Over all 10,876 corpus files: how many of the steps that install something end with a working cache, manager by manager.

The denominator does not know dockeropt: a RUN step counts for a manager when a plain-text search (managers.py) of the
builder's parser's data (oracle.jsonl.gz) finds an install of that manager in it; shell form, exec form, heredoc scripts.
The before and after texts are both judged by that same reader. For each (step, manager) it is one of

    already     the step had a cache mount that fits the manager, and nothing switches it off
    added       it has one after `dockeropt fix --write`, and nothing switches it off
    CODE        refused at this step, with that code
    silent      none of these: the tool has not seen it, or says nothing

"recognised" is everything but silent. "works" is already + added, of all steps. "fits" is judged by the folders that the
manager's manual names (flags, variables, home), "switches it off" by options, variables, cleanups in the step, and for the
system managers by what their base images' configuration throws away (docker-clean, keepcache).

The second table is that of root stages: no USER but root in force at the step or anywhere in the chain of stages that its
stage is FROM, and no sudo, su or gosu in front of the install. ONBUILD RUNs are counted apart: they run in another build.

    DOCKEROPT_CORPUS=… tests/corpus/table.py                          the tables
      --list-refused CODE|all [--manager M] [--sample N --seed S]     what was refused, with the step's text
      --list-added M | --silent M [--sample N --seed S]               steps with a mount added; steps with neither
      --sample-diffs N --seed S                                       N whole diffs
      --unsafe                                                        run the tool with --unsafe
      --denominator                                                   only count the steps, without the tool
      --json FILE                                                     every (step, manager) as one JSON object a line
"""

import argparse
import difflib
import json
import random
import re
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path

import common
import managers
from common import FILES_IN_CORPUS, percent, table
from managers import ALIASES, MANAGERS, Command, Surroundings

GOAL = ["apt", "pip", "npm", "yarn", "pnpm", "go", "cargo", "maven", "gradle", "bundler", "composer"]
GOAL_PERCENT = 85.0
ROOT_USER = re.compile(r"""^["']?(?:root|0)(?::[\w.-]+)?["']?$""")


# --- A file, read through the builder's parser --------------------------------------------------------------------


@dataclass
class Step:
    """A RUN that installs something, with what holds around it."""

    index: int
    start: int
    end: int
    user_not_root: bool
    chain_not_root: bool
    onbuild: bool
    installs: dict[str, list[Command]]
    commands: list[Command]
    targets: list[str]
    at: Surroundings

    def state(self, manager: str) -> tuple[str, str]:
        """(`works` | `off` | `none`, why): whether a cache mount of the step serves this manager's installs, all of them."""
        why = ""
        for install in self.installs.get(manager, []):
            fitting = [t for t in self.targets if managers.fits(manager, install, t, self.at)]
            if not fitting:
                return ("none", "")
            off = managers.switched_off(manager, install, self.commands, fitting, self.at)
            why = why or off or ""
        return ("off", why) if why else ("works", "")


@dataclass
class Stage:
    """What a stage hands on to the stages built on it."""

    env: dict[str, str] = field(default_factory=dict)
    user: str = ""
    any_other_user: bool = False
    base: str = ""
    earlier: list[str] = field(default_factory=list)
    workdir: str = "/"


def base_name(image: str) -> str:
    """`docker.io/library/golang:1.22-alpine` → `golang`."""
    return re.split(r"[:@]", image.split("/")[-1])[0].lower()


def from_target(instruction: dict) -> tuple[str, str]:
    """(what it is built on, its own name) of a FROM."""
    words = instruction["value"]
    name = words[2].lower() if len(words) >= 3 and words[1].lower() == "as" else ""
    return (words[0] if words else "", name)


def pairs_of(instruction: dict) -> list[tuple[str, str]]:
    """The assignments of ENV or ARG, quotes off."""
    words = instruction["value"]
    if instruction["cmd"].lower() == "env":
        pairs = list(zip(words[::2], words[1::2]))
    else:
        pairs = [tuple(w.split("=", 1)) for w in words if "=" in w]
    return [(k, v[1:-1] if len(v) > 1 and v[0] == v[-1] and v[0] in "\"'" else v) for k, v in pairs]


def steps_of(instructions: list[dict]) -> list[Step]:
    """The RUNs in which the text search finds an install."""
    steps, stages, stage = [], {}, Stage()
    global_args: dict[str, str] = {}
    number = -1
    for index, instruction in enumerate(instructions):
        word = instruction["cmd"].lower()
        onbuild = word == "onbuild" and (instruction["sub_cmd"] or "").lower() == "run"
        if word == "from":
            number += 1
            source, name = from_target(instruction)
            source = managers.expand(source, global_args)
            parent = stages.get(source.lower())
            if parent:
                stage = Stage(dict(parent.env), parent.user, parent.any_other_user, parent.base, list(parent.earlier), parent.workdir)
            else:
                stage = Stage(base=base_name(source))
            stages[str(number)] = stage
            if name:
                stages[name] = stage
            chain_not_root = stage.any_other_user
        elif word == "arg" and number < 0:
            global_args.update(pairs_of(instruction))
        elif word in ("env", "arg"):
            for key, value in pairs_of(instruction):
                stage.env[key] = managers.expand(value, stage.env)
        elif word == "user":
            stage.user = managers.expand(" ".join(instruction["value"]), stage.env)
            stage.any_other_user |= not ROOT_USER.match(stage.user)
        elif word == "workdir":
            folder = managers.expand(" ".join(instruction["value"]).strip("\"'"), stage.env)
            stage.workdir = managers.clean(folder if folder.startswith("/") else stage.workdir + "/" + folder)
        elif common.is_run(instruction) or onbuild:
            commands = managers.commands_of_step(instruction) if managers.quick_filter(instruction) else []
            installs = defaultdict(list)
            for command in commands:
                if manager := managers.manager_of(command):
                    installs[manager].append(command)
            if installs:
                not_root = bool(stage.user) and not ROOT_USER.match(stage.user)
                at = Surroundings(dict(stage.env), not not_root, stage.base, "\n".join(stage.earlier), stage.workdir)
                steps.append(
                    Step(index, instruction["start"], instruction["end"], not_root, number >= 0 and chain_not_root, onbuild,
                         dict(installs), commands, cache_targets(instruction, at), at)
                )  # fmt: skip
            if not onbuild and SETTING.search(text := " ".join([*instruction["value"], *(h["content"] for h in instruction["heredocs"])])):
                stage.earlier.append(text)
    return steps


#: Steps that may set something which later steps' caches depend on: only their texts are kept.
SETTING = re.compile(r"config|docker-clean|Keep-Downloaded|keepcache|keep-?packages|modifyrepo|zypper mr|/etc/apk/cache|npm set|store-dir", re.I)


def cache_targets(instruction: dict, at: Surroundings) -> list[str]:
    """The targets of the cache mounts of a RUN, variables expanded, made absolute."""
    found = []
    for mount in common.mounts_of(instruction):
        if mount["type"] == "cache" and mount.get("target"):
            target = managers.expand(mount["target"], at.env)
            found.append(managers.clean(target if target.startswith("/") else f"{at.workdir}/{target}"))
    return found


# --- Before and after ---------------------------------------------------------------------------------------------


@dataclass
class Case:
    """One (step, manager) of the denominator and what became of it."""

    file: str
    manager: str
    line: int
    end: int
    line_after: int
    root: bool
    why_not_root: str
    onbuild: bool
    outcome: str  # already, added, silent, or a refusal's code
    off: str  # why a mount that is there does not work
    reason: str
    before: str
    text: str


def excerpt(data: str, start: int, end: int) -> str:
    """Lines of a file, 1-based, both ends included."""
    return "\n".join(data.split("\n")[start - 1 : end])


def refusal_managers(refusal: dict, lines: list[str], step: Step) -> set[str]:
    """The managers of the step that a refusal speaks of: by the word its reason begins with, by the command that it points at.

    Where neither tells, it speaks of all.
    """
    word = re.match(r"([\w.-]+):", refusal.get("reason") or "")
    if word:
        name = ALIASES.get(word.group(1), word.group(1))
        if name in MANAGERS:
            return {"bundler", "gem"} if name == "bundler" else {name}  # the tool knows both as one
    line, column = refusal.get("line") or 0, refusal.get("column") or 1
    if 0 < line <= len(lines):
        pointed = lines[line - 1].encode()[column - 1 :].decode("utf-8", "replace")
        if not re.match(r"\s*(RUN|--mount)\b", pointed, re.I):
            for words in managers.simple_commands(pointed.rstrip("\\\r ")):
                for command in managers.commands_of(words):
                    for known, program, _ in managers.INSTALLS:
                        if program.fullmatch(command.program) and known in step.installs:
                            return {known}
                break
    return set(step.installs)


def judge(task: tuple) -> tuple[list[Case], list[dict]]:
    """In a worker: the cases of one file, and its refusals of cache mounts with the managers that the text search finds there."""
    name, before_text, after_text, before, record = task
    if before is None:
        return [], []
    after = before if after_text == before_text else common.parse(after_text)
    steps = steps_of(before)
    refused = [r for r in (record or {}).get("refused", []) if r.get("transform", "cache-mounts") == "cache-mounts"]
    if not steps and not refused:
        return [], []
    if after is None:  # accept.py's business; nothing can be said of it here
        after, after_text = before, before_text
    pairs = {i: i for i in range(len(before))} if after is before else common.align(before, after)
    after_steps = {s.index: s for s in (steps if after is before else steps_of(after))}
    before_lines = before_text.split("\n")

    located = []
    for refusal in refused:
        step = next((s for s in steps if s.start <= refusal["line"] <= s.end), None)
        about = refusal_managers(refusal, before_lines, step) if step else set()
        span = next(((i["start"], i["end"]) for i in before if i["start"] <= refusal["line"] <= i["end"]), (refusal["line"],) * 2)
        located.append({**refusal, "file": name, "index": step.index if step else -1, "managers": sorted(about), "text": excerpt(before_text, *span)})

    cases = []
    for step in steps:
        new = after_steps.get(pairs.get(step.index, -1))
        for manager, installs in step.installs.items():
            was, was_off = step.state(manager)
            now, off = new.state(manager) if new and manager in new.installs else ("none", "")
            reason, outcome = "", "silent"
            own = [r for r in located if r["index"] == step.index and manager in r["managers"]]
            if was == "works" and now == "works":
                outcome = "already"
            elif now == "works":
                outcome = "added"
            elif own:
                outcome, reason = own[0]["code"], own[0]["reason"]
            sudo = any(c.as_other_user for c in installs)
            why = "USER" if step.user_not_root else "chain" if step.chain_not_root else "sudo" if sudo else ""
            where = new or step
            cases.append(
                Case(name, manager, step.start, step.end, where.start, not why, why, step.onbuild, outcome,
                     (off or was_off) if outcome not in ("added", "already") else "", reason,
                     excerpt(before_text, step.start, step.end),
                     excerpt(after_text if new else before_text, where.start, where.end))
            )  # fmt: skip
    return cases, located


# --- Tables -------------------------------------------------------------------------------------------------------


def main_table(cases: list[Case]) -> str:
    """One line a manager, and the total of those that the goal names."""
    rows = []

    def row(title: str, some: list[Case]) -> list:
        counts = Counter("refused" if c.outcome not in ("already", "added", "silent") else c.outcome for c in some)
        works, whole = counts["already"] + counts["added"], len(some)
        return [title, whole, whole - counts["silent"], percent(whole - counts["silent"], whole), counts["added"], counts["already"],
                counts["refused"], counts["silent"], percent(works, whole)]  # fmt: skip

    for manager in MANAGERS:
        rows.append(row(manager, [c for c in cases if c.manager == manager]))
    rows.append(row("all", cases))
    rows.append(row("the goal's eleven", [c for c in cases if c.manager in GOAL]))
    return table(["manager", "steps", "recognised", "", "added", "already", "refused", "silent", "works"], rows)


def refusal_table(cases: list[Case], refusals: list[dict]) -> str:
    """Codes by manager, over the denominator; the last column counts every refusal reported, denominator or not."""
    counts = defaultdict(Counter)
    for case in cases:
        if case.outcome not in ("already", "added", "silent"):
            counts[case.outcome][case.manager] += 1
    reported = Counter(r["code"] for r in refusals)
    present = [m for m in MANAGERS if any(c[m] for c in counts.values())]
    codes = sorted(set(counts) | set(reported), key=lambda c: -counts[c].total())
    rows = [[code, counts[code].total(), *(counts[code][m] or "" for m in present), reported[code]] for code in codes]
    return table(["refused", "steps", *present, "reported"], rows)


def off_table(cases: list[Case]) -> str:
    """Steps that have a fitting mount in the end, but one that does nothing: by what stands in the way and what the tool says."""
    counts = Counter((c.manager, c.off, c.outcome) for c in cases if c.off)
    return table(["a mount that does not work", "because of", "tool says", "steps"], [[m, w, o, n] for (m, w, o), n in counts.most_common()])


def report(cases: list[Case], refusals: list[dict], files: int, changed: int) -> None:
    """All the tables."""
    onbuild = [c for c in cases if c.onbuild]
    cases = [c for c in cases if not c.onbuild]
    steps = len({(c.file, c.line) for c in cases})
    root = [c for c in cases if c.root]
    print(f"{files} files read, {changed} changed; {steps} RUN steps with an install, {len(cases)} (step, manager)")
    print(f"ONBUILD RUNs with an install, apart: {len(onbuild)}, of them refused {sum(c.outcome not in ('silent', 'added', 'already') for c in onbuild)}\n")
    print("All steps\n" + main_table(cases) + "\n")
    left_out = Counter(c.why_not_root for c in cases if not c.root)
    print(f"Root stages (left out: {left_out['USER']} under another USER, {left_out['chain']} in a chain of stages with one, {left_out['sudo']} with sudo or su)")
    print(main_table(root) + "\n")
    goal = [c for c in root if c.manager in GOAL]
    works = sum(c.outcome in ("added", "already") for c in goal)
    verdict = "reached" if goal and 100 * works / len(goal) >= GOAL_PERCENT else "NOT reached"
    print(f"Goal: {works} of {len(goal)} root steps of {', '.join(GOAL)} end with a working cache: {percent(works, len(goal))}; {GOAL_PERCENT:.0f} % {verdict}")
    different = {(c.manager, c.before): c for c in goal}.values()
    works = sum(c.outcome in ("added", "already") for c in different)
    print(f"The same, each different text of a step once (the corpus has large families): {works} of {len(different)}, {percent(works, len(different))}\n")
    print("Refusals, all steps\n" + refusal_table(cases, refusals) + "\n")
    print("Refusals, root stages\n" + refusal_table(root, []) + "\n")
    print(off_table(cases))


def sampled(items: list, key, options: argparse.Namespace) -> list:
    """N of them by the seed, or all. Of those with one key only the first may be drawn: the corpus has large families of
    files that hold the same steps, and reading one of them five times teaches nothing."""
    different = list({key(item): item for item in reversed(items)}.values())[::-1]
    print(f"{len(items)} in all, {len(different)} different", end="")
    if options.sample and options.sample < len(different):
        print(f", {options.sample} shown (seed {options.seed})")
        return random.Random(options.seed).sample(different, options.sample)
    print(", all of those shown")
    return different


def list_refused(refusals: list[dict], options: argparse.Namespace) -> None:
    """Refusals as the tool reports them, each with its step in the text after the fix."""
    chosen = [r for r in refusals if options.list_refused in ("all", r["code"]) and (not options.manager or options.manager in r["managers"])]
    for r in sampled(chosen, lambda r: (r["code"], r["text"]), options):
        print(f"\n=== {r['file']}:{r['line']}:{r.get('column', 0)}  {r['code']}  [{', '.join(r['managers']) or 'no install found by the text search'}]\n    {r['reason']}")
        print(shortened(r["text"]))


def list_cases(cases: list[Case], options: argparse.Namespace) -> None:
    """Cases with their step."""
    for c in sampled(cases, lambda c: (c.manager, c.text), options):
        why = "".join(f"  {label} {words}" for label, words in (("not root:", c.why_not_root), ("mount off:", c.off), ("", "ONBUILD" if c.onbuild else "")) if words)
        print(f"\n=== {c.file}:{c.line} (after: {c.line_after})  {c.manager}  {c.outcome}{why}")
        print(shortened(c.text))


def shortened(text: str, lines: int = 40, columns: int = 400) -> str:
    """A step's text, cut to what one reads."""
    all_lines = [line[:columns] + ("…" if len(line) > columns else "") for line in text.rstrip("\r\n").split("\n")]
    return "\n".join("    " + line for line in all_lines[:lines]) + (f"\n    … {len(all_lines) - lines} lines more" if len(all_lines) > lines else "")


def sample_diffs(texts: dict[str, tuple[str, str]], records: dict[str, dict], options: argparse.Namespace) -> None:
    """Whole diffs of files taken at random among the changed."""
    diffs = []
    for name, (old, new) in sorted(texts.items()):
        if old != new:
            lines = difflib.unified_diff(old.split("\n"), new.split("\n"), "before", "after", lineterm="", n=3)
            diffs.append((name, "\n".join(line[:400] for line in lines)))
    options.sample = options.sample_diffs
    for name, diff in sampled(diffs, lambda d: tuple(line for line in d[1].split("\n") if line[:1] in "+-"), options):
        print(f"\n=== {name}\n{diff}")
        for refusal in records.get(name, {}).get("refused", []):
            print(f"  refused, line {refusal['line']}: {refusal['code']}: {refusal['reason']}")


# --- Main ---------------------------------------------------------------------------------------------------------


def read_text(path: Path) -> str:
    """A file's text with its line ends as they are."""
    return path.read_bytes().decode("utf-8")


def main() -> int:
    """Runs the tool over the corpus and prints what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list-refused", metavar="CODE")
    parser.add_argument("--list-added", metavar="M", choices=[*MANAGERS, "all"])
    parser.add_argument("--silent", metavar="M", choices=[*MANAGERS, "all"])
    parser.add_argument("--manager", metavar="M", choices=MANAGERS)
    parser.add_argument("--sample", type=int, default=0, metavar="N")
    parser.add_argument("--sample-diffs", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--unsafe", action="store_true")
    parser.add_argument("--denominator", action="store_true")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    corpus = common.corpus_folder()
    if not options.denominator:
        common.tool()
    with tempfile.TemporaryDirectory(prefix="dockeropt-table-") as work:
        before, after = Path(work) / "before", Path(work) / "after"
        names = common.extract(corpus, before)
        assert len(names) == FILES_IN_CORPUS
        old = {name: read_text(before / name) for name in names}
        if options.denominator:
            records, new = {}, old
        else:
            shutil.copytree(before, after)
            run = common.run_fix(after, names, "--write", *(["--unsafe"] if options.unsafe else []))
            records, new = run.records, {name: read_text(after / name) for name in names}
            if set(run.exit_codes) - {0, 2}:  # 2: the files that the builder's parser rejects too
                print(f"dockeropt ended with {run.exit_codes}: {run.errors[:500]}", file=sys.stderr)
    texts = {name: (old[name], new[name]) for name in names}
    oracle = common.read_oracle(corpus)
    answers = common.in_parallel(judge, [(n, *texts[n], oracle[n], records.get(n)) for n in names])
    cases = [case for found, _ in answers for case in found]
    refusals = [refusal for _, found in answers for refusal in found]

    if options.json:
        with open(options.json, "w") as out:
            out.writelines(json.dumps(asdict(case)) + "\n" for case in cases)
    if options.list_refused:
        list_refused(refusals, options)
    elif options.list_added:
        list_cases([c for c in cases if c.outcome == "added" and options.list_added in (c.manager, "all")], options)
    elif options.silent:
        list_cases([c for c in cases if c.outcome == "silent" and options.silent in (c.manager, "all")], options)
    elif options.sample_diffs:
        sample_diffs(texts, records, options)
    else:
        report(cases, refusals, len(names), sum(a != b for a, b in texts.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
