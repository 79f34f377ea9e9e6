"""Install commands of a step: where each runs, and whether it needs nothing, the manifests, or all of a project.

Finding them is managers.py's business; the kinds are told by the managers' manuals' words for "these packages", "what the manifest
names" and "only the dependencies".
"""

import posixpath
import re
from dataclasses import dataclass, field

import managers
from managers import SPACE, Command
from tree import Tree, join, upwards

SYSTEM = {"apt", "apk", "dnf", "zypper", "pacman"}


@dataclass
class Install:
    """An install command and where it runs.

    kind: `system` (operating system packages), `named` (packages by name: reads nothing of the project), `project` (what the
    manifests name), `half` (the dependencies-only half of a manager that also builds), `build` (compiles the project, and fetches
    what is missing on the way).
    """

    manager: str
    kind: str
    command: Command
    folder: str
    files: list[str] = field(default_factory=list)  # that the command line names, absolute

    @property
    def text(self) -> str:
        return managers.join(self.command)

    @property
    def plain(self) -> str:
        return plain(self.command)


#: What cache mounts need on a command line: left out where commands are compared.
FOR_CACHES = re.compile(r"Dir::Cache::Archives=|--no-cache-dir$|--no-cache$|--cache-dir=|--update-cache$|--setopt=(?:keepcache|cachedir)=")


def plain(command: Command) -> str:
    """A command as text, without what cache mounts need: the same before and after."""
    words: list[str] = []
    for word in command.arguments:
        if not FOR_CACHES.match(word):
            words.append(word)
        elif words and words[-1] == "-o":
            words.pop()
    return " ".join([command.program, *words]).replace(SPACE, " ")


def installs_of(instruction: dict, workdir: str, env: dict[str, str], tree: Tree) -> list[Install]:
    """The installs of a RUN, with the folder that each runs in (`cd` followed, subshells taken for sequences)."""
    found, folder = [], workdir
    for command in managers.commands_of_step(instruction):
        if command.program in ("cd", "pushd") and command.arguments:
            target = managers.expand(command.arguments[-1].replace(SPACE, " "), env)
            folder = join(folder, target) if "$" not in target and target not in ("-", "~") else folder
            continue
        if manager := managers.manager_of(command):
            place = folder_of(manager, command, folder, env)
            install = Install(manager, "", command, place)
            install.kind = kind_of(install, tree)
            install.files = named_files(install, env)
            if install.kind and not any("$" in path for path in install.files):  # `-r "$d/requirements.txt"`: the source is searched for it
                found.append(install)
    return found


FOLDER_OPTIONS = {
    "npm": r"--prefix|-C", "yarn": r"--cwd", "pnpm": r"-C|--dir|--prefix", "bun": r"--cwd", "composer": r"-d|--working-dir",
    "poetry": r"-C|--directory|-P|--project", "uv": r"--directory|--project", "pdm": r"-p|--project", "go": r"-C", "cargo": r"-C",
    "gradle": r"-p|--project-dir",
}  # fmt: skip
FILE_OPTIONS = {"cargo": r"--manifest-path", "maven": r"-f|--file", "bundler": r"--gemfile"}


def option(text: str, names: str) -> str:
    """The value of an option, by its names."""
    match = re.search(rf"(?:^|\s)(?:{names})[=\s]\s*([^\s]+)", text)
    return match.group(1).replace(SPACE, " ") if match else ""


def folder_of(manager: str, command: Command, folder: str, env: dict[str, str]) -> str:
    """Where a command looks for its project."""
    if manager in FOLDER_OPTIONS and (value := option(command.text, FOLDER_OPTIONS[manager])):
        return join(folder, managers.expand(value, env))
    if manager in FILE_OPTIONS and (value := option(command.text, FILE_OPTIONS[manager])):
        value = join(folder, managers.expand(value, env))
        return posixpath.dirname(value) if re.search(r"\.\w+$|file$", value) else value
    if manager == "bundler" and (value := command.variables.get("BUNDLE_GEMFILE") or env.get("BUNDLE_GEMFILE")):
        return posixpath.dirname(join(folder, value))
    return folder


def words_without_options(command: Command, with_value: str = r"(?!)") -> list[str]:
    """The arguments that are neither options nor values of those in `with_value`."""
    found, skip = [], False
    for word in command.arguments:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = bool(re.fullmatch(with_value, word))
        else:
            found.append(word.replace(SPACE, " "))
    return found


PIP_VALUES = r"-r|--requirement|-c|--constraint|-i|--index-url|--extra-index-url|-f|--find-links|-t|--target|--prefix|--root|--python|--trusted-host|--proxy|--timeout|--retries|--src|-e|--editable|--group|--platform|--python-version|--cache-dir|--log|--progress-bar|--only-binary|--no-binary|--config-settings|--global-option|--root-user-action|--report|--wheel-dir|-w|-d|--dest|--exists-action|--upgrade-strategy|--use-feature"
PATH_WORD = re.compile(r"\.{1,2}(?:/|$|\[)|/|file:|.*\.(?:whl|tar\.gz|zip|tgz|gem)$")


def kind_of(install: Install, tree: Tree) -> str:
    """See Install; empty for what fetches nothing."""
    manager, text = install.manager, install.command.text
    if manager in SYSTEM:
        return "system"
    classify = KINDS.get(manager)
    return classify(install, text, tree) if classify else "project"


def kind_of_pip(install: Install, text: str, _: Tree) -> str:
    if re.search(r"(?:^|\s)(?:-r|-c|--requirement|--constraint|-e|--editable|--group)(?:[=\s]|\S)", text):
        return "project"
    words = words_without_options(install.command, PIP_VALUES)[1:]
    if install.manager == "uv":
        words = words[1:]
    return "project" if any(PATH_WORD.match(w) for w in words) else "named"


def kind_of_uv(install: Install, text: str, tree: Tree) -> str:
    if re.search(r"(?:^|\s)pip\s+(?:install|sync)", text):
        return "project" if "pip sync" in text else kind_of_pip(install, text, tree)
    if re.search(r"(?:^|\s)tool\s+install", text):
        return "named"
    return "half" if re.search(r"--no-install-(?:project|workspace)|--no-sources-project|--only-group", text) else "project"


def kind_of_poetry(install: Install, text: str, _: Tree) -> str:
    if re.search(r"^(?:-\S+\s+)*add\s", text):
        return "named"
    return "half" if re.search(r"--no-root|--no-directory|--only-root", text) else "project"


def kind_of_node(install: Install, text: str, _: Tree) -> str:
    if re.search(r"(?:^|\s)(?:-g|--global|global)(?=\s|$)|--location[=\s]global", text):
        return "named"
    values = {"npm": managers.NPM_VALUES, "yarn": managers.YARN_VALUES, "pnpm": managers.PNPM_VALUES}.get(install.manager, "--cwd")
    words = words_without_options(install.command, values)
    words = [w for w in words if w not in ("recursive", "multi", "m")]
    if words and words[0] == "fetch":
        return "half"
    if words and words[0] in ("workspaces", "workspace"):
        return "project"
    return "named" if len(words) > 1 and words[0] not in ("ci", "update", "up", "upgrade") else "project"


def kind_of_go(install: Install, text: str, tree: Tree) -> str:
    if re.search(r"^install\s.*\S@\S|^get\s", text) or re.search(r"^run\s+\S+@", text):
        return "named"
    if "-mod=vendor" in text or f"{install.folder.rstrip('/')}/vendor/modules.txt" in tree:
        return ""  # nothing is fetched
    if re.search(r"mod\s+(?:download|vendor|tidy)", text):
        return "half"
    module = next((join(f, "go.mod") for f in upwards(install.folder) if join(f, "go.mod") in tree), None)
    if module and tree.text(module) is not None and not re.search(r"^\s*require\b", tree.text(module), re.M):
        return ""
    return "build"


def kind_of_cargo(install: Install, text: str, _: Tree) -> str:
    if re.search(r"(?:^|\s)install(?:\s|$)", text):
        return "build" if re.search(r"--path(?:[=\s])", text) else "named"
    return "half" if re.search(r"(?:^|\s)(?:fetch|vendor|chef\s+cook)(?:\s|$)", text) else "build"


def kind_of_maven(install: Install, text: str, _: Tree) -> str:
    if not re.search(r"[a-z]", re.sub(r"-\S+", "", text)) or re.search(r"^(?:-\S+\s+)*wrapper:", text):
        return "named"
    goals = [w for w in words_without_options(install.command, r"-f|-s|-gs|-pl|-P|-D|-l|-T|-b|-t|-rf|--file|--settings|--projects|--threads") if w != "clean"]
    return "half" if goals and all(re.search(r"dependency|resolve|go-offline", g) for g in goals) else "build"


def kind_of_gradle(install: Install, text: str, _: Tree) -> str:
    goals = words_without_options(install.command, r"-p|-b|-c|-g|-I|-x|-P|--project-dir|--build-file|--init-script|--gradle-user-home|--console")
    if goals and all(g in ("wrapper", "help", "tasks", "clean") for g in goals):
        return ""
    return "half" if goals and all(re.search(r"(?i)dependenc|resolve|download", g) or g == "clean" for g in goals) else "build"


def kind_of_dotnet(install: Install, text: str, _: Tree) -> str:
    if re.search(r"^tool\s+(?:install|update)|^add\s", text):
        return "named"
    return "half" if re.search(r"^restore|^tool\s+restore", text) else "build"


def kind_of_composer(install: Install, text: str, _: Tree) -> str:
    if re.search(r"(?:^|\s)(?:global|create-project)(?=\s)", text):
        return "named"
    words = words_without_options(install.command, r"-d|--working-dir")
    if len(words) > 1 and words[0] in ("require", "req", "r"):
        return "named"
    return "half" if "--no-scripts" in text or "--no-autoloader" in text else "project"


def kind_of_mix(install: Install, text: str, _: Tree) -> str:
    return "named" if re.search(r"^(?:archive|escript)\.install", text) else "half"


def kind_of_conda(install: Install, text: str, _: Tree) -> str:
    return "project" if re.search(r"(?:^|\s)(?:-f|--file)[=\s]", text) or re.search(r"\benv\s+(?:create|update)", text) else "named"


def kind_of_sbt(install: Install, text: str, _: Tree) -> str:
    words = words_without_options(install.command)
    return "half" if words and all(w in ("update", "reload", "clean", "compile:update") for w in words) else "build"


def kind_of_gem(install: Install, text: str, _: Tree) -> str:
    return "project" if re.search(r"\.gem(?=\s|$)|(?:^|\s)(?:-g|--file)(?=\s|$)", text) else "named"


def kind_of_bundler(install: Install, text: str, _: Tree) -> str:
    return "named" if re.search(r"^add\s", text) else "project"


def kind_of_pipenv(install: Install, text: str, _: Tree) -> str:
    return "named" if len(words_without_options(install.command)) > 1 else "project"


KINDS = {
    "pip": kind_of_pip, "uv": kind_of_uv, "poetry": kind_of_poetry, "pdm": kind_of_poetry, "pipenv": kind_of_pipenv, "conda": kind_of_conda,
    "npm": kind_of_node, "yarn": kind_of_node, "pnpm": kind_of_node, "bun": kind_of_node, "go": kind_of_go, "cargo": kind_of_cargo,
    "maven": kind_of_maven, "gradle": kind_of_gradle, "sbt": kind_of_sbt, "dotnet": kind_of_dotnet, "composer": kind_of_composer,
    "mix": kind_of_mix, "gem": kind_of_gem, "bundler": kind_of_bundler,
}  # fmt: skip


def named_files(install: Install, env: dict[str, str]) -> list[str]:
    """The requirement and project files that the command line names."""
    found, words = [], [a.replace(SPACE, " ") for a in install.command.arguments]
    take = {"pip": r"-r|-c|--requirement|--constraint|-e|--editable|--find-links|-f", "conda": r"-f|--file", "maven": r"-s|--settings|-gs"}
    take["uv"] = take["pip"]
    pattern = take.get(install.manager)
    for index, word in enumerate(words):
        value = ""
        if pattern and re.fullmatch(pattern, word) and index + 1 < len(words):
            value = words[index + 1]
        elif pattern and (match := re.fullmatch(rf"(?:{pattern})=(.+)|-[rc](\S+)", word)):
            value = match.group(1) or match.group(2) or ""
        elif install.manager in ("pip", "uv", "npm", "gem") and index and PATH_WORD.match(word) and not words[index - 1].startswith("-"):
            value = word
        elif install.manager == "dotnet" and re.search(r"\.(?:\w+proj|slnx?|slnf)$", word):
            value = word
        value = managers.expand(value, env)
        if value and "://" not in value:
            found.append(join(install.folder, re.sub(r"\[[^\]]*\]$", "", value.removeprefix("file:"))))
    return found


def covers(first: Install, second: Install) -> bool:
    """Whether the first, above the source, fetches what the second would have to fetch."""
    if first.manager != second.manager or "named" in (first.kind, second.kind) or "system" in (first.kind, second.kind):
        return False
    if second.manager in ("npm", "yarn", "pnpm", "bun", "bundler", "composer"):
        return first.folder == second.folder
    if second.manager in ("pip", "conda"):
        lists = {f for f in second.files if re.search(r"\.(?:txt|in|ya?ml)$", f)}
        return lists <= set(first.files)
    return True
