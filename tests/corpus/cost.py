#!/usr/bin/env python3
"""The 205 real contexts with their real histories: how often are dependencies installed again, before and after `dockeropt fix`?

Each context is laid out as a git repository whose commits touch the paths that the project's own last commits did (replayed.py), and
`dockeropt cost --history 200` replays them. By ecosystem (contexts.tsv names it): the share of commits that install dependencies again, and how
often a RUN step runs again at a commit, in the mean; after `fix`, and after `fix --unsafe`. Then the demand: over all contexts marked
naive `yes` or `partial` with 20 replayed commits or more, whether `fix` changed them or not, the number of dependency installs
that run again must fall by 60 %. Said of both ways; it is held to what `--unsafe` reaches.

    DOCKEROPT_CORPUS=… tests/corpus/cost.py            the tables and the demand
      --list     each context of the demand

DOCKEROPT_LAID_OUT names the folder that keeps the repositories.
Ends with 1 when the demand is not met, or a context could not be done.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import common
import laid_out
import replayed

FALL_WANTED = 0.60
FEWEST_COMMITS = 20
#: A context of few commits on which replayed.py is held against materialise.py.
WITNESS = "00Chaotic_flip-tech-test__frontend_Dockerfile"


#: The two ways in which `fix` is asked.
WAYS = {"fix": [], "fix --unsafe": ["--unsafe"]}


def counts() -> defaultdict:
    return defaultdict(int)


@dataclass
class Sums:
    """Contexts together; `after` by the ways of WAYS."""

    contexts: int = 0
    commits: int = 0
    before: defaultdict = field(default_factory=counts)
    after: dict = field(default_factory=lambda: {way: counts() for way in WAYS})

    def add(self, told: dict[str, dict]) -> None:
        self.contexts += 1
        sides = [(self.before, next(iter(told.values()))["before"])]
        self.commits += len(next(iter(told.values()))["changes"])
        for way, words in told.items():
            self.after[way]["rewritten"] += words["rewritten"]
            sides.append((self.after[way], words["after"]))
        for mine, side in sides:
            for key, value in side.items():
                if isinstance(value, int):
                    mine[key] += value

    def row(self, name: str) -> list:
        share = lambda side: f"{100 * side['changes_with_install'] / self.commits:.0f} %" if self.commits else "–"
        mean = lambda side: f"{side['runs_run'] / self.commits:.2f}" if self.commits else "–"
        sides = [self.before, *self.after.values()]
        return [name, self.contexts, self.commits, *map(share, sides), *map(mean, sides)]


def cost(context: str, files: dict[str, bytes], keep: Path) -> tuple[dict[str, dict] | None, str]:
    """What `dockeropt cost` says of one context, by way; or None and its words."""
    root = keep / "replayed" / context
    name = str(replayed.lay_out(files, root).relative_to(root))
    told = {}
    for way, options in WAYS.items():
        call = [common.tool(), "cost", "--history", "200", "--format", "json", "--context", str(root), *options, name]
        done = subprocess.run(call, cwd=root, capture_output=True, text=True)
        lines = [line for line in done.stdout.split("\n") if line.strip()]
        if done.returncode or not lines:
            return None, " ".join(done.stderr.split())[:300]
        told[way] = json.loads(lines[0])
    return told, ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    corpus = common.corpus_folder()
    failures, silent = common.Failures(), []
    rows, archives = laid_out.rows(corpus, "contexts"), replayed.archives(corpus)
    by_ecosystem: dict[str, Sums] = defaultdict(Sums)
    total, demand, listed = Sums(), Sums(), []
    with laid_out.lent() as keep, ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = list(pool.map(lambda row: cost(row["id"], archives[row["id"]], keep), rows))
        with tempfile.TemporaryDirectory() as scratch:
            words = replayed.same_as_materialised(corpus, WITNESS, keep / "replayed" / WITNESS, Path(scratch))
            if words:
                failures.add("not as materialise.py lays it out", words)
    for row, (told, words) in zip(rows, answers):
        if told is None:
            # A file that takes nothing from its context has no history; that is said and is no failure.
            (silent.append(row["id"]) if "takes nothing" in words or "no history" in words else failures.add("not done", f"{row['id']}: {words}"))
            continue
        by_ecosystem[row["ecosystems"]].add(told)
        total.add(told)
        if row["naive"] in ("yes", "partial") and int(row["replay_commits"]) >= FEWEST_COMMITS:
            demand.add(told)
            sides = [next(iter(told.values()))["before"], *(told[way]["after"] for way in WAYS)]
            listed.append((*(side["dependency_installs"] for side in sides), row["naive"], row["id"]))
    head = ["ecosystem", "contexts", "commits", "reinstall", *WAYS, "RUNs a commit", *WAYS]
    body = [sums.row(name) for name, sums in sorted(by_ecosystem.items(), key=lambda item: -item[1].contexts)]
    print(common.table(head, [*body, total.row("all")]))
    print(f"\n{len(silent)} contexts take nothing from their context")
    if arguments.list:
        print()
        print(common.table(["before", *WAYS, "naive", "context"], sorted(listed, reverse=True)))
    fall = said(demand)
    if fall < FALL_WANTED:
        failures.add("the demand", f"{100 * fall:.0f} % fewer installs")
    if failures:
        print(failures.report())
    return 1 if failures else 0


def said(demand: Sums) -> float:
    """Prints the demand and gives the share that the last way saves."""
    before, fall = demand.before["dependency_installs"], 0.0
    print(f"\nnaive yes or partial, {FEWEST_COMMITS} commits or more: {demand.contexts} contexts; dependency installs that run again: {before}")
    for way, side in demand.after.items():
        after = side["dependency_installs"]
        fall = 1 - after / before if before else 0.0
        print(f"  after {way}: {after}, {100 * fall:.0f} % fewer ({side['rewritten']} contexts changed)")
    print(f"  wanted: {100 * FALL_WANTED:.0f} % fewer with {list(WAYS)[-1]}")
    return fall


if __name__ == "__main__":
    sys.exit(main())
