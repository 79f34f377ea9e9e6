"""Whether a Dockerfile that was rewritten in its context is still good: what a build would trip over, as far as reading can tell.

    accepted    the builder's parser takes it
    once        a second run changes nothing
    comments    every comment line is still there (a `# syntax=` line may be new or raised)
    copies      what a COPY names is in the context, and not ignored
    manifests   every file that an install reads (manifests.py) and found before is there when it runs now
    laid over   a folder that a moved install fills (node_modules, vendor, …) is not sent with the source that now comes after it
    files       at the end of each stage the same files of the context are there as before (of a safe fix)
    guards      no culprit, no other end than the fixpoint, exit code 0
"""

import posixpath

import accept
import common
from laid_out import Context, Result
from manifests import reads
from reach import File, Sources, Step, read_file


def read_both(context: Context, result: Result) -> tuple[File | None, File | None]:
    """The file before and after, each with the ignore file of its time."""
    old, new = common.parse(context.before), common.parse(result.text)
    before = read_file(old, Sources(context.files, context.ignore(), context.read)) if old else None
    after = read_file(new, Sources(context.files, context.ignore(result.ignore), context.read)) if new else None
    return before, after


def mates(before: File, after: File) -> dict[int, Step]:
    """Which install of the file before is which one now (by position in `before.steps`)."""
    stage_of = stage_map(before, after)
    free = list(after.steps)
    found: dict[int, Step] = {}
    for exact in (True, False):
        for number, step in enumerate(before.steps):
            if number in found:
                continue
            stage = stage_of.get(step.stage.index)
            for other in free:
                same = other.stage.index == stage and other.install.manager == step.install.manager
                if same and (other.install.plain == step.install.plain if exact else alike(step, other)):
                    found[number] = other
                    free.remove(other)
                    break
    return found


def alike(one: Step, other: Step) -> bool:
    """Whether two commands are the same but for options."""
    a, b = set(one.install.plain.split()), set(other.install.plain.split())
    return len(a & b) * 2 >= max(len(a), len(b))


def stage_map(before: File, after: File) -> dict[int, int]:
    """Which stage is which: by number where there are as many, else by name."""
    if len(before.stages) == len(after.stages):
        return {s.index: s.index for s in before.stages}
    names = {s.name: s.index for s in after.stages if s.name}
    return {s.index: names[s.name] for s in before.stages if s.name in names} | {before.stages[-1].index: after.stages[-1].index}


def wrong(context: Context, result: Result, before: File | None, after: File | None, safe: bool) -> list[tuple[str, str]]:
    """What is not good about a result, as (kind, words)."""
    found = []
    if result.error:
        found.append(("guards", result.error))
    found += [("guards", f"culprit {c}") for c in result.record.get("culprits", [])]
    if result.record.get("stop", "fixpoint") != "fixpoint":
        found.append(("guards", f"stopped at {result.record['stop']}"))
    if result.text == context.before and not result.ignore:
        return found
    if before is not None and after is None:
        return [*found, ("accepted", "the builder's parser rejects the output")]
    found += [("once", f"a second run changed {path}") for path in result.again]
    found += lost_comments(context.before, result.text)
    if before and after:
        found += wrong_copies(before, after)
        found += missing_manifests(before, after)
        found += laid_over(context, result, before, after)
        found += lost_files(before, after) if safe else []
    return found


def lost_comments(before: str, after: str) -> list[tuple[str, str]]:
    old, new = (accept.comments(t.encode("utf-8"), common.parse(t)) for t in (before, after))
    raised = any(accept.SYNTAX_LINE.match(line) for line in new - old)
    return [("comments", f"lost {line.decode('utf-8', 'replace')!r}") for line in old - new if not (accept.SYNTAX_LINE.match(line) and raised)]


def wrong_copies(before: File, after: File) -> list[tuple[str, str]]:
    """Sources that bring nothing and did not stand there before."""
    known = {source for copy in before.copies for source in copy.missing}
    binds = [copy for step in after.steps for copy in step.copies if copy.bind]
    return sorted({
        ("copies", f"line {copy.line}: {source} is not in the context, or ignored")
        for copy in [*after.copies, *binds] for source in copy.missing if source not in known
    })  # fmt: skip


def missing_manifests(before: File, after: File) -> list[tuple[str, str]]:
    """Files that an install read before and that are not there when it runs now."""
    pairs = mates(before, after)
    old_of = {id(new): before.steps[number] for number, new in pairs.items()}
    stage_of = {new: old for old, new in stage_map(before, after).items()}
    found = []
    for step in after.steps:
        old = old_of.get(id(step)) or made_from(step, before, stage_of)
        if old is None:
            continue
        for path in sorted(reads(step.install, old.tree)):
            if step.tree.files.get(path) != old.tree.files[path]:
                found.append(("manifests", f"line {step.line}: {step.install.text[:60]} reads {path}, which is not there yet"))
    return found


#: Folders beside the manifests that an install fills, by the managers' manuals; bundler's, pipenv's and pdm's only where they are told so.
FILLED = {
    "npm": ["node_modules"], "yarn": ["node_modules"], "pnpm": ["node_modules"], "bun": ["node_modules"], "composer": ["vendor"],
    "mix": ["deps"], "dotnet": ["obj"],
}  # fmt: skip


def laid_over(context: Context, result: Result, before: File, after: File) -> list[tuple[str, str]]:
    """Folders of the author's own that a COPY would now lay over what an install has just filled: they must be ignored."""
    old_of = {id(new): before.steps[number] for number, new in mates(before, after).items()}
    ignore, found = context.ignore(result.ignore), set()
    for step in after.steps:
        old = old_of.get(id(step))
        if step.install.kind == "named" or step.folders_above or (old and not old.below_a_copy()):
            continue  # stands where it stood
        sources = {path for path in step.tree.files if path.startswith(step.install.folder.rstrip("/") + "/")}
        places = {posixpath.dirname(step.tree.files[p]) for p in sources if posixpath.dirname(p) == step.install.folder}
        for copy in after.copies:
            later = copy.line > step.end and copy.stage == step.stage.index and copy.folder
            for place in places if later else ():
                inside = any(posixpath.dirname(p) == place or p.startswith(place + "/") for p in copy.brought.values())
                for name in FILLED.get(step.install.manager, []) if inside else ():
                    path = f"{place}/{name}".lstrip("/")
                    if not ignore.ignored(path + "/x") and not any(p.startswith(path + "/") for p in context.files):
                        found.add(("laid over", f"line {copy.line} would lay the author's {path} over what line {step.line} ({step.install.text[:40]}) made"))
    return sorted(found)


def made_from(half: Step, before: File, stage_of: dict[int, int]) -> Step | None:
    """The install that a new dependencies-only step was made from: the first of its manager in that stage."""
    same = [s for s in before.steps if s.install.manager == half.install.manager and s.stage.index == stage_of.get(half.stage.index)]
    return next((s for s in same if s.install.folder == half.install.folder), same[0] if same else None)


def lost_files(before: File, after: File) -> list[tuple[str, str]]:
    """Files of the context that a stage no longer holds, or holds newly, or has from elsewhere."""
    found = []
    for old, new in stage_map(before, after).items():
        was, now = before.stages[old].view, after.stages[new].view
        other = sorted(path for path in was.keys() | now.keys() if was.get(path) != now.get(path))
        if other:
            found.append(("files", f"stage {old}: {len(other)} files are other than before, {', '.join(other[:4])}"))
    return found
