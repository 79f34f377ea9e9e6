#!/usr/bin/env python3
"""The 205 real contexts: which dependency installs stand below a copy of the source, and what becomes of them.

Read with the builder's parser and managers.py, without dockeropt (reach.py). An install is `found` when a COPY or ADD above it, in its
stage or in the stages that one is FROM, brings a folder of the context that holds more than manifests and what the install needs
(manifests.py), and no step out of the source's reach fetches the same. Then `dockeropt fix` runs, without and with --unsafe:

    safe        out of reach by default: no such copy above it, or a dependencies-only step now stands above the copy
    unsafe      the same with --unsafe
A context marked `yes` is fixed when none of its dependency installs stands below a copy of the whole context any more (that is the
mark); the others when none stands in reach of any folder of source.

    CODE        refused; the code is that of an ordering transform's refusal at the install, else at the copy (~), else in its stage (~~)
    silent      none of these: a defect, unless ALLOWED names it

Every changed file is held against sound.py: accepted, once, comments, copies, manifests, files.

    DOCKEROPT_CORPUS=… tests/corpus/contexts.py                 the tables, and one by one the contexts marked yes, partial, os
      --list [VERDICT]     every found install (of a verdict)   --id ID   one context, in full   --diffs   with the diffs
      --tracked            each context is a git repository with one commit      --history   with its real commits (slow)
      --before             only what is found, without the tool

Ends with 1 when an install is silent, a changed file is not sound, or fewer than 20 of the 30 `yes` contexts are fixed with --unsafe.
"""

import argparse
import difflib
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import common
import laid_out
import sound
from common import Failures, table
from laid_out import Context, Result
from managers import MANAGERS
from reach import Copy, File, Step

NOT_ORDERING = {"cache-mounts", "syntax-header"}
NAIVE_FIXED_AT_LEAST = 20
#: (context, manager) where silence is right, and why.
ALLOWED: dict[tuple[str, str], str] = {}


@dataclass
class Case:
    """A found install and what became of it."""

    context: str
    manager: str
    kind: str
    line: int
    text: str
    copies: str
    verdict: str  # safe, unsafe, silent, or a code
    reason: str = ""
    below_whole: bool = False  # a copy of the whole context stands above it
    whole_gone: str = ""  # safe, unsafe: none does any more

    @property
    def group(self) -> str:
        return self.verdict if self.verdict in ("safe", "unsafe", "silent") else "refused"


def is_whole(copy: Copy) -> bool:
    """Whether a copy brings the whole context: what the mark `yes` speaks of."""
    return not copy.bind and any(source.rstrip("/") in (".", "", "./.", "*", "./*") for source in copy.sources)


def below_whole(step: Step | None) -> bool:
    return step is not None and any(is_whole(copy) for copy in step.folders_above) and not step.covered()


def still_in_reach(number: int, before: File, after: File, pairs: dict[int, Step]) -> bool:
    step = pairs.get(number)
    return step is None or step.in_reach()


def refusal_for(step: Step, before: File, result: Result) -> tuple[str, str]:
    """(code, reason) of the refusal that speaks of an install; empty where none does."""
    refusals = [r for r in result.refused() if r["transform"] not in NOT_ORDERING]
    chain, stage = [], step.stage
    while stage is not None:
        chain.append((before.stages[stage.index].first, before.stages[stage.index].last))
        stage = before.stages[stage.parent] if stage.parent is not None else None
    places = [("", [(step.line, step.end)]), ("~", [(c.line, c.end) for c in step.folders_above]), ("~~", chain)]
    for mark, spans in places:
        for refusal in refusals:
            if any(first <= refusal["line"] <= last for first, last in spans):
                return mark + refusal["code"], refusal["reason"]
    return "", ""


def judge(context: Context, before: File, results: dict[str, tuple[Result, File | None]]) -> list[Case]:
    """The found installs of a context with their verdicts."""
    cases = []
    matched = {way: sound.mates(before, after) for way, (_, after) in results.items() if after}
    for number, step in enumerate(before.steps):
        if not step.below_a_copy():
            continue
        verdict, reason = "silent", ""
        for way, (_, after) in results.items():
            if after and not still_in_reach(number, before, after, matched[way]):
                verdict = way
                break
        if verdict == "silent":
            for way, (result, after) in results.items():
                code, reason = refusal_for(step, before, result) if after else ("", "")
                if code:
                    verdict = code
                    break
        sources = ", ".join(s + ("" if c.stage == step.stage.index else f" (of stage {c.stage})") for c in step.folders_above if not c.bind for s in c.sources)
        gone = next((w for w, (_, after) in results.items() if after and number in matched[w] and not below_whole(matched[w][number])), "")
        cases.append(Case(context.id, step.install.manager, step.install.kind, step.line, step.install.text, sources, verdict, reason,
                          below_whole(step), gone))  # fmt: skip
    return cases


# --- Printing -----------------------------------------------------------------------------------------------------


def manager_table(title: str, cases: list[Case]) -> str:
    """One line a manager."""
    rows = []
    for manager in [*MANAGERS, "all"]:
        some = [c for c in cases if manager in ("all", c.manager)]
        counts = Counter(c.group for c in some)
        codes = Counter(c.verdict for c in some if c.group == "refused")
        if some:
            words = ", ".join(f"{code} {n}" for code, n in codes.most_common())
            rows.append([manager, len(some), counts["safe"], counts["unsafe"], counts["refused"], counts["silent"], words])
    header = ["manager", "found", "safe", "unsafe", "refused", "silent", "refused by code"]
    return title + "\n" + (table(header, rows) if rows else "none")


def verdict_of(cases: list[Case]) -> str:
    """One word for a context: all of its installs, or some, or none."""
    if not cases:
        return "nothing found"
    groups = {c.group for c in cases}
    if groups <= {"safe", "unsafe"}:
        return "fixed (--unsafe)" if "unsafe" in groups else "fixed"
    return "partly fixed" if groups & {"safe", "unsafe"} else "silent" if "silent" in groups else "refused"


def marked_yes(cases: list[Case]) -> str:
    """Of a context marked yes: what becomes of the installs below a copy of the whole context, which is what the mark says."""
    marked = [c for c in cases if c.below_whole and c.kind not in ("system", "named")]
    if not marked:
        return verdict_of(relevant_kinds(cases))
    fixed = [c.whole_gone or (c.verdict if c.group in ("safe", "unsafe") else "") for c in marked]
    if all(fixed):
        return "fixed (--unsafe)" if "unsafe" in fixed else "fixed"
    return "partly fixed" if any(fixed) else verdict_of([c for c in marked])


def relevant_kinds(cases: list[Case]) -> list[Case]:
    return [c for c in cases if c.kind not in ("system", "named")] or cases


def relevant(context: Context, cases: list[Case]) -> list[Case]:
    """Of a context marked `os` its system packages, of the others what is installed for the project."""
    if context.row["naive"] == "os":
        return [c for c in cases if c.kind == "system"]
    return relevant_kinds(cases)


def shown_verdict(context: Context, cases: list[Case]) -> str:
    return marked_yes(cases) if context.row["naive"] == "yes" else verdict_of(relevant(context, cases))


def print_context(context: Context, cases: list[Case], notes: list[str]) -> None:
    """One context with its installs."""
    print(f"\n{context.row['naive']:<8} {context.id}  [{context.row['ecosystems']}]  {shown_verdict(context, cases)}")
    for case in cases:
        shown = case.text if len(case.text) < 70 else case.text[:69] + "…"
        print(f"    line {case.line:>3}  {case.kind:<7} {shown:<70} below {case.copies[:40]}: {case.verdict}")
        if case.reason:
            print(f"              {case.reason}")
    for note in notes:
        print(f"    {note}")


def notes_without_case(before: File) -> list[str]:
    """Where nothing is found: what does stand above the installs."""
    found = []
    for step in before.steps:
        if step.install.kind in ("system",) or step.below_a_copy():
            continue
        cover = step.covered() if step.folders_above else None
        files = ", ".join(s for c in step.files_above for s in c.sources)
        why = f"line {cover.line} above the source fetches the same" if cover else f"only single files above it: {files}" if files else "nothing but manifests above it"
        found.append(f"line {step.line:>3}  {step.install.text[:60]}: {why}")
    return found


def print_diffs(context: Context, results: dict[str, Result]) -> None:
    """What was changed, each different outcome once."""
    last = (context.before, {})
    for way, result in results.items():
        if (result.text, result.ignore) == last:
            continue
        last = (result.text, result.ignore)
        for line in difflib.unified_diff(context.before.split("\n"), result.text.split("\n"), "before", way, lineterm="", n=2):
            print("    " + line[:300])
        for path, text in result.ignore.items():
            old = context.read(path) or ""
            for line in difflib.unified_diff(old.split("\n"), text.split("\n"), path, f"{path} {way}", lineterm="", n=1):
                print("    " + line)
        for applied in result.applied():
            if applied["transform"] not in NOT_ORDERING:
                print(f"    {way}: {applied['transform']} {applied['applicability']} line {applied['line']}: {applied['title']}")
                for note in applied["notes"]:
                    print(f"        note: {note}")


# --- Main ---------------------------------------------------------------------------------------------------------

WAYS = {"safe": (), "unsafe": ("--unsafe",)}


@dataclass
class Measured:
    """A context, and what the tool makes of it."""

    context: Context
    rejected: bool  # by the builder's parser
    notes: list[str]  # what stands above its installs
    cases: list[Case]
    results: dict[str, Result]
    wrong: list[tuple[str, str]]


def measure(task: tuple[Path, dict, dict, Path, str, bool]) -> Measured:
    """Lays a context out and runs the tool in it, both ways."""
    corpus, row, meta, keep, how, only_before = task
    context = laid_out.lay_out(corpus, row, meta, keep, how)
    results: dict[str, tuple[Result, File | None]] = {}
    before, wrong = None, []
    for way, words in WAYS.items():
        result = Result(context.before, {}, {}, []) if only_before else laid_out.fix(context, *words)
        before, after = sound.read_both(context, result)
        results[way] = (result, after)
        wrong += [(kind, f"{context.id} ({way}): {what}") for kind, what in sound.wrong(context, result, before, after, way == "safe")]
    cases = judge(context, before, results) if before else []
    notes = notes_without_case(before) if before else ["the builder rejects the file"]
    context.texts.clear()
    return Measured(context, before is None, notes, cases, {way: result for way, (result, _) in results.items()}, wrong)


def main() -> int:
    """All contexts, or one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", nargs="?", const="all", metavar="VERDICT")
    parser.add_argument("--id", metavar="ID", help="only contexts whose id holds this")
    parser.add_argument("--diffs", action="store_true")
    parser.add_argument("--before", action="store_true")
    parser.add_argument("--tracked", action="store_true")
    parser.add_argument("--history", action="store_true")
    parser.add_argument("--examples", type=int, default=10, metavar="N")
    options = parser.parse_args()
    corpus = common.corpus_folder()
    if not options.before:
        common.tool()
    how = "history" if options.history else "tracked" if options.tracked else "plain"
    rows, metas = laid_out.rows(corpus, "contexts"), laid_out.metas(corpus, "contexts")
    failures, changed = Failures(options.examples), Counter()
    with laid_out.lent() as keep:
        tasks = [(corpus, row, metas[row["id"]], keep, how, options.before) for row in rows if not options.id or options.id in row["id"]]
        all_measured = common.in_parallel(measure, tasks, chunk=4)
    for one in all_measured:
        for kind, what in one.wrong:
            failures.add(kind, what)
        differs = False
        for way, result in one.results.items():
            differs |= result.text != one.context.before
            changed[way] += result.text != one.context.before or bool(result.ignore)
            changed[way + " ignore file"] += bool(result.ignore)
        if options.id or options.diffs and differs:
            print_context(one.context, one.cases, one.notes)
            if options.diffs:
                print_diffs(one.context, one.results)
    cases = [case for one in all_measured for case in one.cases]
    if options.list:
        for case in cases:
            if options.list in ("all", case.group, case.verdict):
                print(f"{case.context}:{case.line}  {case.manager} {case.kind}  {case.verdict}\n    {case.text}\n    {case.reason}")
    elif not options.id:
        return report(all_measured, cases, failures, changed)
    print(failures.report())
    return 1 if failures else 0


def report(all_measured: list[Measured], cases: list[Case], failures: Failures, changed: Counter) -> int:
    """The tables, the contexts one by one, the verdict."""
    assert len(all_measured) == laid_out.CONTEXTS, f"{len(all_measured)} contexts measured"
    naive: dict[str, Counter] = {mark: Counter() for mark in ("yes", "partial", "os")}
    for mark, counts in naive.items():
        for one in all_measured:
            if one.context.row["naive"] == mark:
                counts[shown_verdict(one.context, one.cases)] += 1
                print_context(one.context, one.cases, [] if relevant(one.context, one.cases) or one.rejected else one.notes)
    rejected = sum(one.rejected for one in all_measured)
    print(f"\n{len(all_measured)} contexts read, {rejected} rejected by the builder's parser; changed: {dict(changed)}\n")
    print(manager_table("Installs of the project's dependencies", [c for c in cases if c.kind not in ("system", "named")]) + "\n")
    print(manager_table("System packages", [c for c in cases if c.kind == "system"]) + "\n")
    print(manager_table("Packages by name", [c for c in cases if c.kind == "named"]) + "\n")
    for mark, counts in naive.items():
        print(f"marked {mark}: {counts.total()} contexts: " + ", ".join(f"{n} {verdict}" for verdict, n in counts.most_common()))
    silent = [c for c in cases if c.verdict == "silent" and (c.context, c.manager) not in ALLOWED]
    fixed = naive["yes"]["fixed"] + naive["yes"]["fixed (--unsafe)"]
    print(f"\n{len(silent)} silent" + "".join(f"\n    {c.context}:{c.line}  {c.kind}  {c.text[:70]}  below {c.copies[:40]}" for c in silent))
    print(f"{fixed} of the {naive['yes'].total()} marked yes fixed with --unsafe ({NAIVE_FIXED_AT_LEAST} wanted)")
    print(failures.report() if failures else "every changed file is sound")
    return 1 if silent or failures or fixed < NAIVE_FIXED_AT_LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
