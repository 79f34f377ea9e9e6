#!/usr/bin/env python3
"""The 21 `add-cache-mount` pairs: what maintainers mounted by hand, and whether dockeropt mounts it too.

For each pair the build context is laid out (materialise.py), `dockeropt fix --write` runs on the file as it was before, and the
cache mounts of its output are held against those of the maintainers' own version, RUN by RUN. Both are read by the builder's
parser; steps are matched by their texts without mounts, and installs are found by managers.py, not by our recogniser.

    same        the same RUN has, in ours, a mount on that folder, on a parent or on a part of it
    serves      the same RUN has a mount in ours that serves the same manager, elsewhere
    other step  not that RUN, but another of our steps with an install of the manager has such a mount
    had it      it was there before
    moved       the maintainers went over to another manager in this step; ours mounts the cache of the one it has
    –           not covered: our refusal at that step, or what is known of it

    DOCKEROPT_CORPUS=… tests/corpus/human_pairs.py [--pair ID] [--diffs] [--unsafe]
"""

import argparse
import csv
import difflib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import common
import managers
from table import Step, cache_targets, steps_of

PAIRS = 21
KIND = "add-cache-mount"


@dataclass
class Mount:
    """A cache mount of the maintainers' version."""

    target: str
    line: int
    managers: list[str]
    verdict: str
    why: str


def pairs_of_kind(corpus: Path) -> list[dict]:
    """The rows of human_pairs.tsv of our kind."""
    with open(corpus / "human_pairs.tsv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["kind"] == KIND]
    assert len(rows) == PAIRS, f"{len(rows)} pairs of kind {KIND}, {PAIRS} expected"
    return rows


def read_metas(corpus: Path, ids: set[str]) -> dict[str, dict]:
    """meta.json of each pair: where its Dockerfile lies."""
    metas = {}
    with tarfile.open(corpus / "human_pairs.tar.gz") as tar:
        for member in tar:
            parts = member.name.split("/")
            if len(parts) == 3 and parts[2] == "meta.json" and parts[1] in ids:
                metas[parts[1]] = json.load(tar.extractfile(member))
    return metas


def lay_out(corpus: Path, pair: dict, meta: dict, folder: Path) -> tuple[Path, str]:
    """Materialises a pair: (its Dockerfile as it was before, the maintainers' text)."""
    done = subprocess.run([sys.executable, str(corpus / "materialise.py"), pair["id"], str(folder)],
                          env={**os.environ, "CORPUS_DIR": str(corpus)}, capture_output=True, text=True)  # fmt: skip
    if done.returncode:
        sys.exit(f"materialise.py {pair['id']}: {done.stderr}")
    context = "" if meta["context"] in (".", "") else meta["context"].rstrip("/") + "/"
    inside = meta["dockerfile"].startswith(context)
    dockerfile = folder / (meta["dockerfile"][len(context):] if inside else "Dockerfile")
    return dockerfile, (folder.parent / (folder.name + ".after.Dockerfile")).read_bytes().decode("utf-8")


def caches_by_step(instructions: list[dict]) -> dict[int, tuple[list[str], Step | None, dict]]:
    """For each RUN: the targets of its cache mounts, its installs if it has some, itself."""
    steps = {step.index: step for step in steps_of(instructions)}
    plain = managers.Surroundings({}, True, "", "")
    return {
        index: (steps[index].targets if index in steps else cache_targets(instruction, plain), steps.get(index), instruction)
        for index, instruction in enumerate(instructions)
        if common.is_run(instruction)
    }


def served(step: Step | None, target: str) -> list[str]:
    """The managers that install in this step and keep downloads under a target."""
    if step is None:
        return []
    return [m for m, installs in step.installs.items() if any(managers.fits(m, c, target, step.at) for c in installs)]


def judge(before: list[dict], theirs: list[dict], ours: list[dict], record: dict) -> list[Mount]:
    """What became of each cache mount of the maintainers' version."""
    was, hand, tool = caches_by_step(before), caches_by_step(theirs), caches_by_step(ours)
    to_before = {t: b for b, t in common.align(before, theirs).items()}
    to_ours = common.align(before, ours)
    mounts = []
    for index, (targets, step, instruction) in hand.items():
        old = to_before.get(index)
        mate = to_ours.get(old) if old is not None else None
        our_targets, our_step, our_instruction = tool.get(mate, ([], None, None))
        for target in targets:
            names = served(step, target) or ([] if step is None else list(step.installs))
            verdict, why = "–", ""
            if old in was and any(managers.overlap(target, t) for t in was[old][0]):
                verdict = "had it"
            elif any(managers.overlap(target, t) for t in our_targets):
                verdict = "same"
            elif found := [t for t in our_targets if set(served(our_step, t)) & set(names)]:
                verdict, why = "serves", ", ".join(found)
            elif found := [
                f"line {i['start']}: {t}" for ts, s, i in tool.values() for t in ts
                if set(served(s, t)) & set(names) or managers.overlap(t, target)
            ]:  # fmt: skip
                verdict, why = "other step", "; ".join(found)
            if verdict == "–" and our_step and our_targets and names and not set(names) & set(our_step.installs):
                verdict, why = "moved", f"{', '.join(our_step.installs)}: {', '.join(our_targets)}"
            elif verdict == "–":
                why = reason(old, mate, our_instruction, step, names, was, record, before)
            mounts.append(Mount(target, instruction["start"], names, verdict, why))
    return mounts


def reason(old: int | None, mate: int | None, ours: dict | None, step: Step | None, names: list[str], was: dict, record: dict, before: list[dict]) -> str:
    """Why ours has no such mount, as far as it can be told."""
    if step is None:
        return "the text search finds no install in the maintainers' step"
    if not any(set(names) & set(s.installs) for _, s, _ in was.values() if s):
        return f"the file before has no install with {', '.join(names)} at all"
    if old is None:
        return "the maintainers wrote a new step; nothing in the file before corresponds to it"
    if mate is None or ours is None:
        return "the step before is no RUN, or ours no longer has it"
    here = [r for r in record.get("refused", []) if before[old]["start"] <= r["line"] <= before[old]["end"]]
    return "; ".join(f"refused, {r['code']}: {r['reason']}" for r in here) or f"SILENT at our line {ours['start']}"


def main() -> int:
    """Pair by pair, then the count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", help="only this id (its number is enough)")
    parser.add_argument("--diffs", action="store_true", help="before → ours and before → theirs")
    parser.add_argument("--unsafe", action="store_true")
    options = parser.parse_args()
    corpus = common.corpus_folder()
    common.tool()
    rows = pairs_of_kind(corpus)
    metas = read_metas(corpus, {row["id"] for row in rows})
    verdicts: dict[str, int] = {}
    covered_pairs = 0
    with tempfile.TemporaryDirectory(prefix="dockeropt-pairs-") as work:
        for row in rows:
            if options.pair and not row["id"].startswith(options.pair):
                continue
            folder = Path(work) / row["id"]
            dockerfile, theirs_text = lay_out(corpus, row, metas[row["id"]], folder)
            before_text = dockerfile.read_bytes().decode("utf-8")
            name = str(dockerfile.relative_to(folder))
            run = common.run_fix(folder, [name], "--write", *(["--unsafe"] if options.unsafe else []))
            ours_text = dockerfile.read_bytes().decode("utf-8")
            record = run.records.get(name, {})
            before, theirs, ours = (common.parse(t) for t in (before_text, theirs_text, ours_text))
            if None in (before, theirs, ours):
                sys.exit(f"{row['id']}: the builder's parser rejects one of before, theirs, ours")
            mounts = judge(before, theirs, ours, record)
            print_pair(row, mounts, before, ours, record)
            covered_pairs += all(m.verdict != "–" for m in mounts)
            for mount in mounts:
                verdicts[mount.verdict] = verdicts.get(mount.verdict, 0) + 1
            if options.diffs:
                print_diff("ours", before_text, ours_text)
                print_diff("theirs", before_text, theirs_text)
    print(f"\n{len(rows) if not options.pair else 1} pairs; every mount covered in {covered_pairs}; mounts of theirs: " + ", ".join(f"{k} {v}" for k, v in sorted(verdicts.items())))
    return 0


def print_pair(row: dict, mounts: list[Mount], before: list[dict], ours: list[dict], record: dict) -> None:
    """One pair: theirs, line by line, then ours."""
    print(f"\n=== {row['id']}  {row['repo']} {row['path']}  [{row['managers']}]")
    lines = [[f"{m.line}", m.target, ",".join(m.managers) or "?", m.verdict, m.why] for m in mounts]
    for line, target, names, verdict, why in lines:
        print(f"  theirs {line:>4}  {target:<36} {names:<10} {verdict:<10} {why}")
    if not mounts:
        print("  theirs has no cache mount that the parser sees")
    for targets, _, instruction in caches_by_step(ours).values():
        if targets:
            print(f"  ours   {instruction['start']:>4}  {', '.join(targets)}")
    for refusal in record.get("refused", []):
        print(f"  ours refused, line {refusal['line']}: {refusal['code']}: {refusal['reason']}")
        print("    | " + excerpt_of(before, refusal["line"]))


def excerpt_of(instructions: list[dict], line: int) -> str:
    """The beginning of the instruction on a line."""
    for instruction in instructions:
        if instruction["start"] <= line <= instruction["end"]:
            return common.body_of(instruction)[:160]
    return ""


def print_diff(title: str, before: str, after: str) -> None:
    """A unified diff."""
    for line in difflib.unified_diff(before.split("\n"), after.split("\n"), "before", title, lineterm="", n=2):
        print("    " + line)


if __name__ == "__main__":
    sys.exit(main())
