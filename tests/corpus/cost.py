#!/usr/bin/env python3
"""The 205 real contexts with their real histories: how often are dependencies installed again, before and after `dockeropt fix`?

Each context is laid out as a git repository whose commits touch the paths that the project's own last commits did (replayed.py), and
`dockeropt cost --history 200` replays them. By ecosystem (contexts.tsv names it): the share of commits that install dependencies again, and how
often a RUN step runs again at a commit, in the mean. Then the demand: over all contexts marked naive `yes` or `partial` with 20
replayed commits or more, whether `fix` changed them or not, the number of dependency installs that run again must fall by 60 %.

    DOCKEROPT_CORPUS=… tests/corpus/cost.py            the table and the demand
      --unsafe     with fixes that --unsafe allows     --list    each context of the demand

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


@dataclass
class Sums:
    """Contexts together."""

    contexts: int = 0
    changed: int = 0
    commits: int = 0
    before: defaultdict = field(default_factory=lambda: defaultdict(int))
    after: defaultdict = field(default_factory=lambda: defaultdict(int))

    def add(self, told: dict) -> None:
        self.contexts += 1
        self.changed += told["rewritten"]
        self.commits += len(told["changes"])
        for mine, side in ((self.before, told["before"]), (self.after, told["after"])):
            for key, value in side.items():
                if isinstance(value, int):
                    mine[key] += value

    def row(self, name: str) -> list:
        share = lambda side: f"{100 * side['changes_with_install'] / self.commits:.0f} %" if self.commits else "–"
        mean = lambda side: f"{side['runs_run'] / self.commits:.2f}" if self.commits else "–"
        return [name, self.contexts, self.changed, self.commits, share(self.before), share(self.after), mean(self.before), mean(self.after)]


def cost(context: str, files: dict[str, bytes], keep: Path, options: list[str]) -> tuple[dict | None, str]:
    """What `dockeropt cost` says of one context."""
    root = keep / "replayed" / context
    name = str(replayed.lay_out(files, root).relative_to(root))
    call = [common.tool(), "cost", "--history", "200", "--format", "json", "--context", str(root), *options, name]
    done = subprocess.run(call, cwd=root, capture_output=True, text=True)
    lines = [line for line in done.stdout.split("\n") if line.strip()]
    if done.returncode or not lines:
        return None, " ".join(done.stderr.split())[:300]
    return json.loads(lines[0]), ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unsafe", action="store_true")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    corpus = common.corpus_folder()
    options = ["--unsafe"] if arguments.unsafe else []
    failures, silent = common.Failures(), []
    rows, archives = laid_out.rows(corpus, "contexts"), replayed.archives(corpus)
    by_ecosystem: dict[str, Sums] = defaultdict(Sums)
    total, demand, listed = Sums(), Sums(), []
    with laid_out.lent() as keep, ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = list(pool.map(lambda row: cost(row["id"], archives[row["id"]], keep, options), rows))
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
            before, after = told["before"]["dependency_installs"], told["after"]["dependency_installs"]
            listed.append((before, after, row["naive"], len(told["changes"]), row["id"]))
    head = ["ecosystem", "contexts", "changed", "commits", "reinstall", "after", "RUNs a commit", "after"]
    body = [sums.row(name) for name, sums in sorted(by_ecosystem.items(), key=lambda item: -item[1].contexts)]
    print(common.table(head, [*body, total.row("all")]))
    print(f"\n{len(silent)} contexts take nothing from their context")
    if arguments.list:
        print()
        print(common.table(["before", "after", "naive", "commits", "context"], sorted(listed, reverse=True)))
    before, after = demand.before["dependency_installs"], demand.after["dependency_installs"]
    fall = 1 - after / before if before else 0.0
    print(
        f"\nnaive yes or partial, {FEWEST_COMMITS} commits or more: {demand.contexts} contexts, {demand.changed} changed; "
        f"dependency installs that run again {before} → {after}: {100 * fall:.0f} % fewer ({100 * FALL_WANTED:.0f} % wanted)"
    )
    if fall < FALL_WANTED:
        failures.add("the demand", f"{100 * fall:.0f} % fewer installs")
    if failures:
        print(failures.report())
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
