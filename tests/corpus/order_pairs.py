#!/usr/bin/env python3
"""The 55 pairs in which maintainers reordered their Dockerfile, and the 18 in which they took such an order back.

For `reorder` and `reorder-partial` `dockeropt fix` runs on the maintainers' file as it was before (without and with --unsafe), and the
result is held against what they made of it. Two measures, both read with the builder's parser (reach.py):

    installs   of each family of managers (node, python, system packages, …): how many installs stand in reach of a copy of the
               source. Where theirs has fewer than before, ours must have no more than theirs.
    inputs     of each expensive command that both files have (installs, downloads, compilers): the files of the context, manifests
               aside, and the ARG, ENV and LABEL that stand above it. Where theirs is smaller than before, ours must be within theirs
               (what theirs no longer has at all counts only where a COPY of its own brought it: a narrower COPY is no matter of order).

    same or more   all of that holds                nothing gained   neither measure sees theirs better than before
    less           not all of it; what is missing follows, with our refusal

For `regress` the tool runs on what they ended with: does our diff do again what they undid?

    DOCKEROPT_CORPUS=… tests/corpus/order_pairs.py [--pair ID] [--diffs] [--safe] [--at-least N] [--regress]
      --safe: judge what is done by default; else what is done with --unsafe
"""

import argparse
import difflib
import re
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import common
import installs
import laid_out
import managers
import manifests
import sound
from common import Failures
from laid_out import Context, Result
from reach import File, Sources, read_file

REORDERED, REGRESSED = 55, 18
NOT_ORDERING = {"cache-mounts", "syntax-header"}
FAMILIES = {
    **dict.fromkeys(installs.SYSTEM, "system packages"),
    **dict.fromkeys(["npm", "yarn", "pnpm", "bun"], "node"),
    **dict.fromkeys(["pip", "uv", "poetry", "pipenv", "pdm", "conda"], "python"),
    **dict.fromkeys(["maven", "gradle", "sbt"], "jvm"),
    **dict.fromkeys(["bundler", "gem"], "ruby"),
}
#: Programs, besides the managers', whose running again is felt.
EXPENSIVE = re.compile(r"curl|wget|git|make|cmake|configure|gcc|g\+\+|ninja|meson|cabal|stack|xx-apt-get|xx-apk|xx-cargo|rustup|debootstrap|docker-php-ext-install|pecl|ng|tsc|webpack")

#: Pairs whose gain no order gives, by a reading of the files by hand. They are still measured, and count as what they are.
BEYOND = {
    "030": "another base and another tool (cargo-chef)", "171": "another tool (cargo-chef); half of the build is in a script",
    "195": "a bind mount in the place of a COPY", "032": "the cook stood on recipe.json before too", "046": "another path for the manifest, the same order",
    "112": "the file before has no manifest", "164": "the whole toolchain was replaced", "223": "the table's context is not the real one: package.json is not there",
    "014": "a script of the project runs in between", "192": "nothing is fetched (vendored)",
}  # fmt: skip
#: Pairs whose context in the table is not the one they are built with, and the pair of the same commit that has it.
REAL_CONTEXT = {"174": "173"}
#: Why maintainers went back, by a reading of the files by hand (inferred in 175 and 236: the message tells nothing): what to hold a
#: `done again` against.
WENT_BACK = {
    "001": "a refactor, no technical reason", "004": "a refactor, no technical reason", "006": "the source came from a git clone before: stale",
    "050": "the source came from a git clone before: stale", "132": "the source came from a git clone before: stale", "163": "the source came from a moving archive before: stale",
    "139": "the source came from a git clone before: stale", "035": "hand-kept lists of members, a tool without care", "128": "members of the workspace were missing from the copied manifests",
    "044": "the install was made for another platform; ownership", "137": "another manager", "197": "another tool, which needs the source",
    "175": "one install was cut in two (prod, dev) without a lock", "190": "a check of the source must fail before anything is installed", "236": "the build wanted the source and .git",
    "217": "a new stage", "219": "a new stage", "199": "no regress: builds were added",
}  # fmt: skip


@dataclass
class Measure:
    """A Dockerfile by both measures."""

    in_reach: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # family → installs in reach of source
    families: set[str] = field(default_factory=set)
    inputs: dict[str, set[str]] = field(default_factory=dict)  # expensive command → what stands above it
    anywhere: set[str] = field(default_factory=set)  # every file and setting that some stage has
    alone: set[str] = field(default_factory=set)  # files that a COPY names, not its folder
    lines: dict[str, tuple[int, int]] = field(default_factory=dict)


def family(step) -> str:
    name = FAMILIES.get(step.install.manager, step.install.manager)
    return f"{name} by name" if step.install.kind == "named" else name


def measure(file: File) -> Measure:
    """Both measures of a file."""
    found = Measure()
    for step in file.steps:
        found.families.add(family(step))
        if step.in_reach():
            found.in_reach[family(step)].append(f"{step.install.text[:60]}")
            found.lines.setdefault(family(step), (step.line, step.end))
    for run in file.runs:
        brought = {path for copy in run.copies for path in (*copy.brought.values(), *copy.missing) if not manifests.looks_like_manifest(path)}
        for command in managers.commands_of_step(run.instruction):
            if managers.manager_of(command) or EXPENSIVE.fullmatch(command.program):
                text = installs.plain(command)
                # a command that stands twice: where it is better off
                above = brought | run.settings
                if text not in found.inputs or len(above) < len(found.inputs[text]):
                    found.inputs[text] = above
                    found.lines[text] = (run.instruction["start"], run.instruction["end"])
    for stage in file.stages:
        found.anywhere |= stage.settings
    for copy in [*file.copies, *(c for run in file.runs for c in run.copies)]:
        found.anywhere |= set(copy.brought.values()) | set(copy.missing)
        found.alone |= set(copy.missing) if copy.folder else {*copy.brought.values(), *copy.missing}
    return found


def read_text(context: Context, text: str, ignore: dict[str, str] | None = None) -> File | None:
    instructions = common.parse(text)
    return read_file(instructions, Sources(context.files, context.ignore(ignore), context.read)) if instructions else None


@dataclass
class Verdict:
    """A pair by both measures."""

    gained: dict[str, str]  # by family or command, as in Measure.lines: in words
    missing: dict[str, str]
    worse: list[str]

    @property
    def word(self) -> str:
        if self.missing:
            return "less"
        return "same or more" if self.gained else "nothing gained"


def compare(before: Measure, theirs: Measure, ours: Measure) -> Verdict:
    """Where theirs is better than before, and whether ours is too."""
    verdict = Verdict({}, {}, [])
    for name in sorted(before.families & theirs.families):
        was, hand, tool = (m.in_reach.get(name, []) for m in (before, theirs, ours))
        if len(hand) < len(was):
            verdict.gained[name] = f"{name}: {len(was)} in reach of the source, theirs {len(hand)}, ours {len(tool)}"
            if len(tool) > len(hand):
                verdict.missing[name] = f"{name}: {', '.join(tool)}"
        if len(tool) > len(was):
            verdict.worse.append(f"{name}: {', '.join(tool)}")
    for text, was in before.inputs.items():
        hand, tool = theirs.inputs.get(text), ours.inputs.get(text)
        if hand is None or tool is None:
            continue
        was = was & (theirs.anywhere | before.alone)
        if hand & was < was:
            verdict.gained[text] = f"inputs of `{text[:60]}`: {len(was)}, theirs {len(hand & was)}, ours {len(tool & was)}"
            if rest := (tool & was) - hand:
                verdict.missing[text] = f"`{text[:60]}` still has above it {shown(rest)}"
        if more := {i for i in tool - before.inputs[text] if not re.match(r"(?:ARG|ENV|LABEL) ", i)}:
            verdict.worse.append(f"`{text[:60]}` now has above it {shown(more)}")
    return verdict


def shown(names: set[str]) -> str:
    return f"{len(names)}: " + ", ".join(sorted(names)[:3])


# --- Printing -----------------------------------------------------------------------------------------------------


def refusals_near(result: Result, span: tuple[int, int] | None) -> list[str]:
    """Our ordering refusals at a step; all of the file's where none is there."""
    ordering = [r for r in result.refused() if r["transform"] not in NOT_ORDERING]
    here = [r for r in ordering if span and span[0] <= r["line"] <= span[1]]
    return [f"{'refused' if here else 'elsewhere, refused'} line {r['line']}: {r['transform']}: {r['code']}: {r['reason']}" for r in here or ordering]


def print_pair(context: Context, verdict: Verdict, before: Measure, result: Result, way: str) -> None:
    row = context.row
    beyond = BEYOND.get(row["id"][:3], "")
    print(f"\n{verdict.word:<14} {row['id']}  {row['kind']}  {row['repo']} {row['path']}  [{row['managers']}]  ({way})")
    if beyond:
        print(f"    beyond order  {beyond}")
    for text in verdict.gained.values():
        print(f"    theirs gains  {text}")
    told: set[str] = set()
    for key, text in verdict.missing.items():
        print(f"    MISSING       {text}")
        for line in refusals_near(result, before.lines.get(key)) or ["silent: no ordering refusal in the file"]:
            if line not in told:
                told.add(line)
                print(f"        {line}")
    for text in verdict.worse:
        print(f"    WORSE         {text}")


def print_diff(title: str, before: str, after: str) -> None:
    for line in difflib.unified_diff(before.split("\n"), after.split("\n"), "before", title, lineterm="", n=2):
        print("    " + line[:240])


# --- The pairs ----------------------------------------------------------------------------------------------------


def reordered(context: Context, options: argparse.Namespace, failures: Failures) -> Verdict | None:
    """One pair of kind reorder: prints and returns its verdict."""
    before, theirs = read_text(context, context.before), read_text(context, context.theirs)
    if before is None or theirs is None:
        print(f"\nrejected       {context.id}: the builder's parser rejects the file")
        return None
    old, hand = measure(before), measure(theirs)
    assert not compare(old, hand, hand).missing and compare(old, hand, old).missing.keys() == compare(old, hand, hand).gained.keys(), context.id
    verdicts, results = {}, {}
    for way, words in (("default", ()), ("--unsafe", ("--unsafe",))):
        result = laid_out.fix(context, *words, text=context.before)
        ours = read_text(context, result.text, result.ignore)
        for kind, what in sound.wrong(context, result, before, ours, way == "default"):
            failures.add(kind, f"{context.id} ({way}): {what}")
        new = measure(ours) if ours else old
        verdicts[way], results[way] = compare(old, hand, new), (result, new)
    way = "default" if options.safe or verdicts["default"].word != "less" else "--unsafe"
    print_pair(context, verdicts[way], old, results[way][0], way)
    if options.diffs:
        print_diff("ours", context.before, results[way][0].text)
        print_diff("theirs", context.before, context.theirs)
    return verdicts[way]


def regressed(context: Context, options: argparse.Namespace) -> str:
    """One pair of kind regress: whether we do again what they undid."""
    before, theirs = read_text(context, context.before), read_text(context, context.theirs)
    if before is None or theirs is None:
        return "rejected"
    result = laid_out.fix(context, *(() if options.safe else ("--unsafe",)), text=context.theirs)
    ours = read_text(context, result.text, result.ignore)
    undone = compare(measure(theirs), measure(before), measure(ours)) if ours else Verdict({}, {}, [])
    redone = undone.gained.keys() - undone.missing.keys()
    added = lines_of(result.text) - lines_of(context.theirs)
    again = {line for line in (added & (lines_of(context.before) - lines_of(context.theirs))) if len(line) > 6 and not line.startswith("#")}
    ordering = [a for a in result.applied() if a["transform"] not in NOT_ORDERING | {"dockerignore"}]
    if not any(copy.folder for copy in before.copies):
        redone = set()  # their source came from elsewhere: it is no order that they gave up
    word = "done again" if redone or again and ordering else "left alone" if not ordering else "other order"
    print(f"\n{word:<14} {context.id}  {context.row['repo']} {context.row['path']}  [{context.row['managers']}]")
    print(f"    why they went back: {WENT_BACK[context.id[:3]]}")
    for key, text in undone.gained.items():
        print(f"    {'DONE AGAIN' if key in redone else 'they undid'}    {text}")
    for line in sorted(again):
        print(f"    DONE AGAIN    line {line}")
    for applied in ordering:
        print(f"    ours          {applied['transform']} {applied['applicability']} line {applied['line']}: {applied['title']}")
    if options.diffs:
        print_diff("theirs (what they undid)", context.before, context.theirs)
        print_diff("ours", context.theirs, result.text)
    return word


def in_other_context(context: Context, other: Context, path: str) -> Context:
    """A pair's Dockerfile in the context of another pair."""
    return Context(context.id, context.row, other.root, other.root / path, context.before, other.files, context.theirs)


def lines_of(text: str) -> set[str]:
    return {" ".join(line.split()) for line in text.split("\n")} - {""}


def main() -> int:
    """Pair by pair, then the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", help="only ids that hold this")
    parser.add_argument("--diffs", action="store_true")
    parser.add_argument("--safe", action="store_true")
    parser.add_argument("--regress", action="store_true", help="only the pairs that went the other way")
    parser.add_argument("--tracked", action="store_true", help="each context is a git repository with one commit")
    parser.add_argument("--at-least", type=int, default=40, metavar="N")
    options = parser.parse_args()
    corpus = common.corpus_folder()
    common.tool()
    rows, metas = laid_out.rows(corpus, "human_pairs"), laid_out.metas(corpus, "human_pairs")
    kinds = Counter(row["kind"] for row in rows)
    assert kinds["reorder"] + kinds["reorder-partial"] == REORDERED and kinds["regress"] == REGRESSED, kinds
    counts, back, failures, beyond, worse = Counter(), Counter(), Failures(10), 0, 0
    with laid_out.lent() as keep:
        for row in rows:
            wanted = row["kind"] == "regress" or row["kind"].startswith("reorder") and not options.regress
            if not wanted or options.pair and options.pair not in row["id"]:
                continue
            how = "tracked" if options.tracked else "plain"
            context = laid_out.lay_out(corpus, row, metas[row["id"]], keep, how)
            if number := REAL_CONTEXT.get(row["id"][:3]):
                other = next(r for r in rows if r["id"].startswith(number))
                context = in_other_context(context, laid_out.lay_out(corpus, other, metas[other["id"]], keep, how), metas[row["id"]]["dockerfile"])
            if row["kind"] == "regress":
                back[regressed(context, options)] += 1
            else:
                verdict = reordered(context, options, failures)
                counts[verdict.word if verdict else "rejected"] += 1
                beyond += bool(verdict and verdict.word == "less" and row["id"][:3] in BEYOND)
                worse += bool(verdict and verdict.worse)
    good = counts["same or more"] + counts["nothing gained"]
    print(f"\n{REORDERED} pairs in which maintainers reordered: " + ", ".join(f"{n} {w}" for w, n in counts.most_common()))
    print(f"    of those with less, {beyond} want what no order gives; somewhere worse than before: {worse}")
    print(f"{REGRESSED} pairs in which they went back: " + ", ".join(f"{n} {w}" for w, n in back.most_common()))
    print(failures.report() if failures else "every changed file is sound")
    if options.pair or options.regress:
        return 1 if failures else 0
    print(f"{good} pairs ({counts['nothing gained']} of them with nothing to gain) at least as far out of the source's reach as theirs ({options.at_least} wanted)")
    return 1 if failures or good < options.at_least else 0


if __name__ == "__main__":
    sys.exit(main())
