"""What stands above an install: which files of the context can make it run again, and which it finds there.

Works on the builder's parser's instructions, the context's file list and its ignore file; nothing here asks dockeropt. Stages hand
on what they hold to the stages that are FROM them. A RUN's own changes to files (`cp`, `mv`, `rm`) are not followed.
"""

import fnmatch
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import common
import installs
import managers
import manifests
from ignorefile import Ignore
from installs import Install
from table import base_name, from_target, pairs_of
from tree import Tree

#: What base images set and folders are named by.
IMAGE_ENV = {"golang": {"GOPATH": "/go"}, "rust": {"CARGO_HOME": "/usr/local/cargo"}, "php": {"PHP_INI_DIR": "/usr/local/etc/php"}}
ADDED_FROM_ELSEWHERE = re.compile(r"^(?:https?|git|ssh)://|^git@", re.I)


@dataclass
class Copy:
    """A COPY, an ADD or a bind mount that brings files of the context."""

    line: int
    end: int
    stage: int
    sources: list[str]
    brought: dict[str, str]  # path in the container → path in the context
    folder: bool  # a folder, or a glob with several files
    missing: list[str] = field(default_factory=list)  # sources that are not in the context, or ignored
    bind: bool = False

    def source_files(self, needed: set[str]) -> list[str]:
        """What it brings that is no manifest and that is not in `needed`."""
        return [path for path in self.brought.values() if path not in needed and not manifests.looks_like_manifest(path)]


@dataclass
class Stage:
    """What holds at a place of a stage."""

    index: int
    name: str = ""
    parent: int | None = None
    base: str = ""
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    folders: set[str] = field(default_factory=lambda: {"/"})
    view: dict[str, str] = field(default_factory=dict)
    copies: list[Copy] = field(default_factory=list)  # from the parents on
    settings: set[str] = field(default_factory=set)  # ARG, ENV and LABEL, by name; from the parents on
    installs: list["Step"] = field(default_factory=list)  # from the parents on
    first: int = 0
    last: int = 0


@dataclass(eq=False)
class Step:
    """An install, with what stands above it."""

    install: Install
    stage: Stage
    line: int
    end: int
    index: int  # of its instruction
    copies: list[Copy]
    tree: Tree
    above: list["Step"]
    folders_above: list[Copy] = field(default_factory=list)
    files_above: list[Copy] = field(default_factory=list)

    @property
    def key(self) -> tuple:
        return (self.stage.index, self.install.manager, self.install.plain)

    def in_reach(self) -> bool:
        """Whether a folder of source stands above it and nothing above that fetches the same."""
        return bool(self.folders_above) and not self.covered()

    def below_a_copy(self) -> bool:
        """The same, by a COPY or ADD and not by a bind mount alone."""
        return self.in_reach() and any(not copy.bind for copy in self.folders_above)

    def covered(self) -> "Step | None":
        """The step above it, out of the source's reach, that fetches what it would fetch."""
        return next((s for s in self.above if not s.folders_above and installs.covers(s.install, self.install)), None)


@dataclass
class File:
    """A Dockerfile as far as reach goes."""

    stages: list[Stage]
    steps: list[Step]
    copies: list[Copy]
    runs: list["Run"]


@dataclass
class Run:
    """Any RUN, with what stands above it."""

    stage: int
    instruction: dict
    copies: list[Copy]
    settings: set[str]  # ARG, ENV and LABEL, by name


class Sources:
    """The context as COPY sees it."""

    def __init__(self, files: list[str], ignore: Ignore, read: Callable[[str], str | None]):
        self.all = set(files)
        self.files = sorted(path for path in files if not ignore.ignored(path))
        self.sent = set(self.files)
        self.read = read
        self.folders = {""}
        for path in self.files:
            while path := posixpath.dirname(path):
                self.folders.add(path)

    def below(self, folder: str) -> list[str]:
        prefix = folder + "/" if folder else ""
        return [path for path in self.files if path.startswith(prefix)]

    def find(self, source: str) -> list[tuple[str, bool]]:
        """What a source names: (path, whether it is a folder)."""
        path = normal("/" + source).lstrip("/")
        if path in self.folders:
            return [(path, True)]
        if path in self.sent:
            return [(path, False)]
        if not re.search(r"[*?\[]", path):
            return []
        parts = path.split("/")
        found = [(p, False) for p in self.files if matches(p, parts)]
        return found + [(p, True) for p in sorted(self.folders) if p and matches(p, parts)]


def normal(path: str) -> str:
    """The path without `.` and `..`; POSIX lets two slashes in front stand, an image has no such place."""
    path = posixpath.normpath(path)
    return path[1:] if path.startswith("//") else path


def matches(path: str, parts: list[str]) -> bool:
    """Go's filepath.Match, element by element."""
    own = path.split("/")
    return len(own) == len(parts) and all(fnmatch.fnmatchcase(a, b) for a, b in zip(own, parts))


def absolute(path: str, stage: Stage) -> str:
    path = managers.expand(path.strip("\"'"), stage.env)
    return normal(path if path.startswith("/") else stage.workdir + "/" + path)


def flag(instruction: dict, name: str) -> list[str]:
    return [f.partition("=")[2] for f in instruction["flags"] if f.lower().startswith(f"--{name}")]


def bring(stage: Stage, sources: list[str], target: str, context: Sources, parents: bool, excluded: list[str]) -> tuple[dict[str, str], bool, list[str]]:
    """(what a copy lays where, whether it brings a folder, sources that bring nothing)."""
    brought, folder, missing = {}, False, []
    found = [(source, context.find(source)) for source in sources]
    place = absolute(target, stage)
    is_folder = target.endswith("/") or posixpath.basename(target) in (".", "..") or place in stage.folders or sum(len(f) for _, f in found) > 1
    ignore = Ignore("\n".join(excluded))
    for source, entries in found:
        if not entries:
            missing.append(source)
        folder |= len(entries) > 1
        for path, whole in entries:
            if whole:
                folder = True
                for file in context.below(path):
                    rest = file if parents else file[len(path) + 1 if path else 0:]
                    if not excluded or not ignore.ignored(rest):
                        brought[normal(f"{place}/{rest}")] = file
            elif parents:
                brought[normal(f"{place}/{path}")] = path
            else:
                brought[normal(f"{place}/{posixpath.basename(path)}") if is_folder else place] = path
    return brought, folder, missing


def copy_of(instruction: dict, stage: Stage, stages: list[Stage], context: Sources) -> Copy | None:
    """What a COPY or ADD brings into a stage; what comes from another stage is only laid into the view."""
    words = [managers.expand(w, stage.env) for w in instruction["value"]]
    inline = {h["name"] for h in instruction["heredocs"]}
    sources = [w for w in words[:-1] if not ADDED_FROM_ELSEWHERE.match(w) and w.lstrip("<-").strip("\"'") not in inline]
    target = words[-1] if words else ""
    origin = flag(instruction, "from=")
    if origin:
        other = stage_named(origin[0], stages)
        if other and other is not stage:
            for source in sources:
                copy_between(stage, other, normal("/" + source), target)
            # what was fetched there may be what is brought here (`COPY --from=deps /app/node_modules .`)
            stage.installs += [step for step in other.installs if step not in stage.installs]
        return None
    if not sources:
        return None
    brought, folder, missing = bring(stage, sources, target, context, bool(flag(instruction, "parents")), flag(instruction, "exclude="))
    return Copy(instruction["start"], instruction["end"], stage.index, sources, brought, folder, missing)


def copy_between(stage: Stage, other: Stage, source: str, target: str) -> None:
    """COPY --from of an earlier stage: its files of the context are here now."""
    place, prefix = absolute(target, stage), source.rstrip("/") + "/"
    for path, file in list(other.view.items()):
        if path == source:
            to = f"{place}/{posixpath.basename(path)}" if target.endswith(("/", ".")) or place in stage.folders else place
            stage.view[normal(to)] = file
        elif path.startswith(prefix):
            stage.view[normal(f"{place}/{path[len(prefix):]}")] = file


def stage_named(name: str, stages: list[Stage]) -> Stage | None:
    name = name.lower()
    return next((s for s in reversed(stages) if s.name == name or str(s.index) == name), None)


def binds_of(instruction: dict, stage: Stage, context: Sources) -> list[Copy]:
    """The bind mounts of a RUN that show files of the context."""
    found = []
    for mount in common.mounts_of(instruction):
        if mount["type"] == "bind" and not mount.get("from") and mount.get("target"):
            source = managers.expand(mount.get("source", "."), stage.env)
            brought, folder, missing = bring(stage, [source], mount["target"], context, False, [])
            found.append(Copy(instruction["start"], instruction["end"], stage.index, [source], brought, folder, missing, bind=True))
    return found


def new_stage(instruction: dict, index: int, stages: list[Stage], global_args: dict[str, str]) -> Stage:
    source, name = from_target(instruction)
    source = managers.expand(source, global_args)
    parent = stage_named(source, stages)
    if parent is None:
        base = base_name(source)
        return Stage(index, name, None, base, dict(IMAGE_ENV.get(base, {})), first=instruction["start"])
    return Stage(index, name, parent.index, parent.base, dict(parent.env), parent.workdir, set(parent.folders), dict(parent.view),
                 list(parent.copies), {s for s in parent.settings if not s.startswith("ARG")}, list(parent.installs), instruction["start"])  # fmt: skip


def read_file(instructions: list[dict], context: Sources) -> File:
    """A whole Dockerfile."""
    file = File([], [], [], [])
    global_args: dict[str, str] = {}
    stage: Stage | None = None
    for index, instruction in enumerate(instructions):
        word = instruction["cmd"].lower()
        if word == "from":
            stage = new_stage(instruction, len(file.stages), file.stages, global_args)
            file.stages.append(stage)
        elif stage is None:
            if word == "arg":
                global_args.update(pairs_of(instruction))
            continue
        elif word in ("env", "arg", "label"):
            stage.settings |= names_set(instruction)
            for key, value in pairs_of(instruction) if word != "label" else ():
                stage.env[key] = managers.expand(value, stage.env)
        elif word == "workdir":
            stage.workdir = absolute(" ".join(instruction["value"]), stage)
            stage.folders.add(stage.workdir)
        elif word in ("copy", "add"):
            if copy := copy_of(instruction, stage, file.stages, context):
                stage.view.update(copy.brought)
                stage.copies.append(copy)
                file.copies.append(copy)
        elif word == "run":
            run_step(instruction, index, stage, context, file)
        stage.last = instruction["end"]
    return file


def names_set(instruction: dict) -> set[str]:
    """`ENV PATH`, `ARG VERSION`: what an instruction sets."""
    word, words = instruction["cmd"].upper(), instruction["value"]
    names = [w.partition("=")[0] for w in words] if word == "ARG" else words[::2] if word == "ENV" else [w.partition("=")[0] for w in words]
    return {f"{word} {name}" for name in names}


def run_step(instruction: dict, index: int, stage: Stage, context: Sources, file: File) -> None:
    """A RUN: its installs, each with what stands above it."""
    binds = binds_of(instruction, stage, context)
    file.runs.append(Run(stage.index, instruction, [*stage.copies, *binds], set(stage.settings)))
    if not managers.quick_filter(instruction):
        return
    view = dict(stage.view)
    for bind in binds:
        view.update(bind.brought)
    tree = Tree(view, context.read)
    for install in installs.installs_of(instruction, stage.workdir, stage.env, tree):
        step = Step(install, stage, instruction["start"], instruction["end"], index, [*stage.copies, *binds], tree, list(stage.installs))
        needed = {tree.files[path] for path in manifests.needed(install, tree)}
        for copy in step.copies:
            if copy.source_files(needed):
                (step.folders_above if copy.folder else step.files_above).append(copy)
        stage.installs.append(step)
        file.steps.append(step)
