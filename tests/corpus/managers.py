"""Package managers as a plain reader of text sees them: which commands install, where the cache is, what switches it off.

This is the independent side of `table.py` and `human_pairs.py`. It is written from the managers' own manuals, not from
src/ecosystems, and works on the builder's parser's text of a step with a small word splitter and regular expressions:
no shell parser, no model. A step counts for a manager when one of its simple commands, with wrappers taken off (`sudo`,
`env X=y`, `sh -c '…'`, `python -m`, `xargs`, …), is an install of that manager. What merely stands inside a quoted string
(`echo "pip install x"`) or among another command's arguments (`apt-get install -y npm`) does not count.

Not counted, on purpose: commands that fetch nothing (`mvn -o`, `dotnet build --no-restore`, `apt-get update` alone,
`npm run build`), bootstraps (`mix local.hex`, `rustup`, `corepack enable`), and installers that are no package manager
(`install_packages`, `curl … | sh`).
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

MANAGERS = [
    "apt", "apk", "dnf", "zypper", "pacman",
    "pip", "uv", "poetry", "pipenv", "pdm", "conda",
    "npm", "yarn", "pnpm", "bun",
    "go", "cargo", "maven", "gradle", "sbt",
    "bundler", "gem", "composer", "dotnet", "mix",
]  # fmt: skip

#: How refusals of the tool may name a manager, where it is not our name.
ALIASES = {
    "yum": "dnf", "microdnf": "dnf", "tdnf": "dnf", "apt-get": "apt", "mvn": "maven", "mamba": "conda", "bundle": "bundler",
    "hex": "mix", "rpm": "dnf", "nuget": "dotnet", "golang": "go", "yarn-berry": "yarn",
}  # fmt: skip


# --- Text → simple commands ---------------------------------------------------------------------------------------

SPACE = "\x1f"  # stands for white space inside a quoted word, so that a command can be joined with blanks
TOKEN = re.compile(
    r"""
      (?P<newline>\n)
    | (?P<blank>(?:[ \t\r\f\v]|\\\n)+)
    | (?P<comment>\#[^\n]*)
    | (?P<heredoc><<-?[ \t]*(?P<quote>["']?)(?P<name>\w+)(?P=quote))
    | (?P<redirect>&>>?|\d*(?:>>|>\||>&|<&|<<<|<|>)(?:\d+|-)?)
    | (?P<break>;;?&?|&&|\|\||\|&?|&|\(|\)|\$\(|`)
    | (?P<single>'[^']*')
    | (?P<double>"(?:[^"\\]|\\.)*")
    | (?P<escape>\\.)
    | (?P<plain>(?:\$\{[^}]*\}|[^\s'"\\;&|()`<>$]|\$(?!\())+)
    | (?P<rest>.)
    """,
    re.X | re.S,
)


def simple_commands(text: str) -> Iterator[list[str]]:
    """The words of each simple command of a shell text, quotes off, redirections and comments dropped.

    `$(…)`, `(…)` and backticks end a command as `;` does: what is inside is read as a command of its own.
    """
    words: list[str] = []
    word: str | None = None
    drop_next, terminators, position = False, [], 0
    while position < len(text):
        token = TOKEN.match(text, position)
        kind, value = token.lastgroup, token.group()
        if kind in ("quote", "name"):
            kind = "heredoc"
        if kind == "comment" and word is not None:  # a # inside a word
            kind, value = "plain", "#"
        position += len(value)
        if kind in ("single", "double", "escape", "plain", "rest"):
            word = (word or "") + unquote(kind, value)
            continue
        if kind == "redirect" and word is not None and value[0] not in "<>&":
            # `a2>b`: the digits belong to the word unless they are all of it
            digits = re.match(r"\d*", value).group()
            word += digits
        if word is not None:
            if drop_next:
                drop_next = False
            else:
                words.append(word)
            word = None
        if kind == "redirect":
            drop_next = not re.search(r"[<>]&(?:\d+|-)$|[<>]\d+$", value)
        elif kind == "heredoc":
            terminators.append(token.group("name"))
        elif kind in ("newline", "break"):
            if words:
                yield words
            words, drop_next = [], False
            if kind == "newline":
                for name in terminators:
                    end = re.compile(rf"^\t*{re.escape(name)}[ \t]*$\n?", re.M).search(text, position)
                    position = end.end() if end else len(text)
                terminators = []
    if word is not None and not drop_next:
        words.append(word)
    if words:
        yield words


def unquote(kind: str, value: str) -> str:
    """A piece of a word without its quotes; white space in it is marked."""
    if kind in ("single", "double"):
        value = value[1:-1]
        if kind == "double":
            value = re.sub(r'\\(["\\$`])', r"\1", value)
    elif kind == "escape":
        value = "" if value == "\\\n" else value[1:]
    return re.sub(r"\s", lambda m: SPACE if m.group() != "\n" else SPACE + "\n", value)


@dataclass
class Command:
    """A simple command, wrappers taken off."""

    program: str
    arguments: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    as_other_user: bool = False

    @property
    def text(self) -> str:
        """The arguments, joined with single blanks (blanks inside words are marked)."""
        return " ".join(self.arguments)


KEYWORDS = {"if", "then", "else", "elif", "do", "while", "until", "!", "{", "}", "time", "fi", "done"}
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
PLAIN_WRAPPERS = {
    "exec", "command", "builtin", "nohup", "eatmydata", "ionice", "nice", "stdbuf", "timeout", "xvfb-run", "corepack",
    "busybox", "dumb-init", "tini", "unbuffer", "setsid", "linux32", "linux64", "travis_retry", "retry", "fakeroot",
    "catchsegv", "and", "or", "@", "Start-Process",
}  # fmt: skip
RUNNERS = {"conda", "mamba", "micromamba", "poetry", "pipenv", "uv", "pdm", "hatch", "rye"}
SHELLS = {"sh", "bash", "ash", "dash", "zsh", "ksh"}
OTHER_USER = {"su", "runuser", "gosu", "su-exec", "setpriv", "chpst", "s6-setuidgid", "setuser"}


def basename(word: str) -> str:
    """The program's name without folder and Windows' endings."""
    return re.sub(r"(?i)\.(exe|cmd|bat)$", "", re.split(r"[/\\]", word)[-1])


def commands_of(words: list[str], other_user: bool = False, depth: int = 0) -> Iterator[Command]:
    """The commands that a simple command really runs: wrappers off, `sh -c '…'` and `-exec` opened."""
    words, variables = list(words), {}

    def nested(text: str) -> Iterator[Command]:
        text = text.replace(SPACE + "\n", "\n").replace(SPACE, " ")
        for inner in simple_commands(text) if depth < 4 else ():
            for command in commands_of(inner, other_user, depth + 1):
                command.variables = variables | command.variables
                yield command

    def skip_options(with_value: str = r"(?!)") -> None:
        while words and words[0].startswith("-"):
            option = words.pop(0)
            if option == "--":
                return
            if re.fullmatch(with_value, option) and words:
                words.pop(0)

    while words:
        word = words[0]
        if word in KEYWORDS:
            words.pop(0)
            continue
        if ASSIGNMENT.match(word):
            name, _, value = words.pop(0).partition("=")
            variables[name.rstrip("+")] = value
            continue
        program = basename(word)
        if program in ("sudo", "doas"):
            words.pop(0)
            skip_options(r"-[ugphCrtRTUD]|--user|--group|--prompt|--chdir")
            other_user = True
        elif program == "env":
            words.pop(0)
            skip_options(r"-[uC]|--unset|--chdir")
        elif program == "xargs":
            words.pop(0)
            skip_options(r"-[nLPIadsE]|--max-args|--max-procs|--arg-file|--delimiter")
        elif program in PLAIN_WRAPPERS:
            words.pop(0)
            skip_options(r"-[nckso]|--signal|--kill-after|-e")
            if program in ("timeout", "retry") and words and re.fullmatch(r"[\d.]+[smhd]?", words[0]):
                words.pop(0)
        elif program in OTHER_USER:
            other_user = True
            words.pop(0)
            for index, option in enumerate(words):
                if option in ("-c", "--command", "-lc") or option.startswith("--command="):
                    text = option.partition("=")[2] or (words[index + 1] if index + 1 < len(words) else "")
                    yield from nested(text)
                    return
            named = any(re.match(r"-u|--user|--reuid", option) for option in words)
            skip_options(r"-[ugG]|--user|--group|--reuid|--regid")
            if program in ("gosu", "su-exec", "chpst", "s6-setuidgid", "setuser") and not named and words:
                words.pop(0)
        elif program in SHELLS or program in ("cmd", "powershell", "pwsh"):
            rest = words[1:]
            for index, option in enumerate(rest):
                if re.fullmatch(r"-[a-z]*c|/[cC]|-[Cc]ommand", option) and index + 1 < len(rest):
                    inner = rest[index + 1 :] if program in ("cmd", "powershell", "pwsh") else rest[index + 1 : index + 2]
                    yield from nested(" ".join(inner))
                    return
            words.pop(0)
            skip_options(r"[-+]o|[-+]O")
            if not words or basename(words[0]) not in ("mvnw", "gradlew", "composer", "bundle", "sbt"):
                return
        elif program == "eval":
            yield from nested(" ".join(words[1:]))
            return
        elif program == "scl" and len(words) > 1 and words[1] == "enable":
            rest = words[2:]
            if "--" in rest:
                words = rest[rest.index("--") + 1 :]
            else:
                yield from nested(rest[-1] if rest else "")
                return
        elif re.fullmatch(r"(python|pypy)[\d.]*|py", program):
            at = next((i for i, w in enumerate(words[1:], 1) if w in ("-m", "-Im", "-um", "-sm")), None)
            if at is None or at + 1 >= len(words) or any(not w.startswith("-") and words[i - 1] not in ("-W", "-X") for i, w in enumerate(words[1:at], 1)):
                # `python /usr/bin/pip install`: rare, but plain
                words.pop(0)
                skip_options(r"-[WX]")
                if not words or not re.fullmatch(r"pip[\d.]*|poetry|pipenv", basename(words[0])):
                    return
            else:
                words = words[at + 1 :]
        elif re.fullmatch(r"php[\d.]*", program):
            words.pop(0)
            skip_options(r"-[dc]")
            if not words or not re.match(r"composer", basename(words[0])):
                return
        elif program in RUNNERS and len(words) > 1 and words[1] == "run":
            words = words[2:]
            skip_options(r"-[npe]|--name|--prefix|--cwd|--with|--python|--extra|--group")
        elif program in ("rbenv", "pyenv", "asdf", "mise", "nvm", "fnm", "volta", "bundle", "jenv") and words[1:2] in (["exec"], ["run"]):
            words = words[2:]
            if program in ("nvm", "asdf") and words and re.match(r"v?\d|--?\w|node|lts", words[0]):
                words.pop(0)
            skip_options()
        elif program == "find" and any(w in ("-exec", "-execdir") for w in words):
            at = next(i for i, w in enumerate(words) if w in ("-exec", "-execdir"))
            words = words[at + 1 :]
        else:
            yield Command(program, words[1:], variables, other_user)
            return
    if variables:
        yield Command("", [], variables, other_user)  # assignments alone


def is_shell_script(content: str, behind: str) -> bool:
    """Whether a heredoc that stands where the command would is fed to a shell: bare, or `<<EOF bash`, without a foreign #!."""
    first = content.lstrip().split("\n", 1)[0]
    if first.startswith("#!"):
        return bool(re.search(r"\b(ba|da|a|z|k)?sh\b", first))
    words = behind.split()
    return not words or basename(words[0]) in SHELLS


def commands_of_step(instruction: dict) -> list[Command]:
    """All commands of a RUN: shell form, exec form, heredoc script. Heredocs that are data for a command are not read."""
    if instruction["json"]:
        return list(commands_of([re.sub(r"\s", lambda m: SPACE + (m.group() if m.group() == "\n" else ""), w) for w in instruction["value"]]))
    text = " ".join(instruction["value"])
    found = []
    heredocs = instruction["heredocs"]
    begin = re.match(r"\s*\d*<<-?\s*[\"']?([^\s\"'>]+)[\"']?", text)
    if begin and heredocs:
        behind = text[begin.end() :]
        if is_shell_script(heredocs[0]["content"], behind):
            text = heredocs[0]["content"]
    elif heredocs and re.match(r"\s*(\S*/)?(ba|da|a|z|k)?sh\b[^|;&]*<<", text):
        text = heredocs[0]["content"]
    for words in simple_commands(text):
        found.extend(commands_of(words))
    return found


# --- Which commands install ---------------------------------------------------------------------------------------


def options(with_value: str = "") -> str:
    """A pattern for options in front of a subcommand; `with_value` names those that take the next word."""
    own = rf"(?:{with_value})\s+\S+|" if with_value else ""
    return rf"^(?:(?:{own}-\S*)\s+)*"


def subcommand(names: str, with_value: str = "") -> re.Pattern:
    """A pattern: the first word that is no option is one of `names`."""
    return re.compile(options(with_value) + rf"(?:{names})(?=\s|$)")


NPM_VALUES = r"--prefix|-C|--registry|--cache|--loglevel|--userconfig|-w|--workspace|--fetch-timeout|--omit"
YARN_VALUES = r"--cwd|--registry|--cache-folder|--network-timeout|--mutex|--modules-folder|--network-concurrency|--global-folder"
PNPM_VALUES = r"-C|--dir|--prefix|--filter|-F|--store-dir|--registry|--reporter|--loglevel"
DNF_VALUES = r"-c|-d|-e|-x|--setopt|--installroot|--enablerepo|--disablerepo|--repo|--repoid|--releasever|--exclude|--config|--forcearch"
INSTALLS: list[tuple[str, re.Pattern, re.Pattern]] = [
    (manager, re.compile(program), pattern)
    for manager, program, pattern in [
        ("apt", r"apt|apt-get|aptitude|apt-fast",
         subcommand(r"install|reinstall|build-dep|satisfy|upgrade|dist-upgrade|full-upgrade|safe-upgrade", r"-o|-t|-c|--option|--target-release|--default-release")),
        ("apk", r"apk", subcommand(r"add|upgrade|fix", r"-X|--repository|-t|--virtual|-p|--root|--arch|--cache-dir|--repositories-file|--keys-dir")),
        ("dnf", r"dnf|dnf5|dnf-3|yum|microdnf|tdnf",
         subcommand(r"install|localinstall|groupinstall|group\s+install|builddep|build-dep|upgrade|update|reinstall|distro-sync|swap|module\s+install|downgrade|install-n", DNF_VALUES)),
        ("dnf", r"yum-builddep", re.compile("")),
        ("zypper", r"zypper", subcommand(r"in|install|up|update|dup|dist-upgrade|patch|si|source-install|install-new-recommends", r"-R|--root|-D|--reposd-dir|-C|--cache-dir|-c|--config")),
        ("pacman", r"pacman|powerpill", re.compile(r"(?:^|\s)(?:-S[ywq]*u[yuwq]*(?=\s|$)|(?:-S[ywq]*|--sync)(?=\s)(?=.*\s[^-\s])|-U\s+\S*://)")),
        ("pip", r"pip[\d.]*|pip-[\d.]+", subcommand(r"install|download|wheel", r"--proxy|--timeout|--cert|--log|--cache-dir|--retries|--python|--trusted-host")),
        ("uv", r"uv", subcommand(r"sync|pip\s+install|pip\s+sync|add|tool\s+install", r"--directory|--project|--cache-dir|--config-file|--python|--color")),
        ("poetry", r"poetry", subcommand(r"install|add|update|sync", r"-C|--directory|-P|--project")),
        ("pipenv", r"pipenv", subcommand(r"install|sync|update", r"--python")),
        ("pdm", r"pdm", subcommand(r"install|sync|add|update", r"-c|--config")),
        ("conda", r"conda|mamba|micromamba",
         subcommand(r"install|create|update|upgrade|env\s+create|env\s+update", r"-n|--name|-p|--prefix|-r|--root-prefix|-c|--channel")),
        ("npm", r"npm", subcommand(r"install|i|in|ci|add|update|up|upgrade|install-clean|clean-install|install-test|it|install-ci-test|cit|isntall", NPM_VALUES)),
        ("yarn", r"yarn|yarnpkg",
         re.compile(r"^(?!.*(?:^|\s)(?:-v|--version|-h|--help)(?=\s|$))" + options(YARN_VALUES).removesuffix(r"\s+)*") + r"(?:\s+|$))*" +
                    r"(?:(?:install|add|up|upgrade|global\s+add|global\s+upgrade|workspaces\s+focus|workspace\s+\S+\s+add)(?=\s|$)|$)")),
        ("pnpm", r"pnpm", subcommand(r"(?:(?:recursive|multi|m)\s+)?(?:install|i|add|fetch|update|up|upgrade|install-test|it|ci)", PNPM_VALUES)),
        ("bun", r"bun", subcommand(r"install|i|add|a|update|ci", r"--cwd|--config|-c")),
        ("go", r"go", subcommand(r"build|install|get|test|run|mod\s+(?:download|vendor|tidy)", r"-C")),
        ("cargo", r"cargo",
         re.compile(r"^(?:\+\S+\s+)?" + options(r"--config|--color|-Z|-C|--manifest-path")[1:] +
                    r"(?:build|b|install|fetch|test|t|run|r|check|c|clippy|rustc|bench|vendor|update|chef\s+cook|auditable\s+build|auditable\s+install|zigbuild|xtask)(?=\s|$)")),
        ("maven", r"mvn|mvnw|mvnd", re.compile(r"^(?!.*(?:^|\s)(?:-v|--version|-version|-h|--help|-o|--offline)(?=\s|$))(?:-(?:f|s|gs|pl|P|D|l|T|b|t|gt|rf)\s+\S+\s+|-\S+\s+)*[^-\s]")),
        ("gradle", r"gradle|gradlew",
         re.compile(r"^(?!.*(?:^|\s)(?:-v|--version|-h|--help|--stop|--status|--offline)(?=\s|$))(?:-(?:p|b|c|g|I|x|P)\s+\S+\s+|--(?:project-dir|build-file|init-script|gradle-user-home|console)\s+\S+\s+|-\S+\s+)*[^-\s]")),
        ("sbt", r"sbt", re.compile(r"^(?!.*(?:^|\s)(?:-h|-help|--help|-version|--version|-V)(?=\s|$))")),
        ("bundler", r"bundle|bundler",
         re.compile(r"^(?:_\S+_\s+)?(?!.*(?:^|\s)(?:--version|-v|--help|-h|--local)(?=\s|$))(?:--gemfile\s+\S+\s+|-\S+(?:\s+|$))*(?:(?:install|update|package|cache|add|pack)(?=\s|$)|$)")),
        ("gem", r"gem[\d.]*", subcommand(r"install|i|update")),
        ("composer", r"composer([-_.]?phar|\d)?",
         subcommand(r"(?:global\s+(?:-\S+\s+)*)?(?:install|i|require|req|r|update|u|upgrade|create-project)", r"-d|--working-dir")),
        ("dotnet", r"dotnet",
         re.compile(r"^(?!.*\s--no-(?:restore|build)(?=\s|$))(?:restore|build|publish|test|run|pack|tool\s+(?:install|restore|update)|add\s+(?:\S+\s+)?package)(?=\s|$)")),
        ("mix", r"mix", re.compile(r"^(?:deps\.(?:get|update)|archive\.install|escript\.install|do\s.*\bdeps\.(?:get|update))")),
    ]
]  # fmt: skip


#: With these options an install fetches nothing.
FETCHES_NOTHING = r"--help|--dry-run|--simulate|--print-uris|--offline"
NO_FETCH_OF = {"apt": "|-s|--no-act|--just-print", "pip": "|--no-index", "cargo": "|--frozen"}


def manager_of(command: Command) -> str | None:
    """The manager whose install this command is."""
    for manager, program, pattern in INSTALLS:
        if program.fullmatch(command.program) and pattern.search(command.text):
            if re.search(rf"(?:^|\s)(?:{FETCHES_NOTHING}{NO_FETCH_OF.get(manager, '')})(?=\s|$)", command.text):
                return None
            return manager
    return None


# --- Where a manager's cache is -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cache:
    """Where a manager keeps downloads.

    variables: name it, with what follows the variable's value. options: name it on the command line. home: under the
    home folder. xdg: under $XDG_CACHE_HOME. fixed: whoever runs it. images: official images that place it elsewhere
    (base image's name → folders). configured: settings made by an earlier command. project: anywhere (patterns).
    """

    variables: tuple[tuple[str, str], ...] = ()
    options: tuple[str, ...] = ()
    home: tuple[str, ...] = ()
    xdg: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    images: tuple[tuple[str, tuple[str, ...]], ...] = ()
    configured: str = ""
    project: str = ""


CACHES: dict[str, Cache] = {
    "apt": Cache(options=(r"Dir::Cache::Archives",), fixed=("/var/cache/apt/archives",)),
    "apk": Cache(options=(r"--cache-dir",), fixed=("/etc/apk/cache", "/var/cache/apk")),
    "dnf": Cache(options=(r"--setopt=cachedir",), fixed=("/var/cache/dnf", "/var/cache/yum", "/var/cache/libdnf5", "/var/cache/tdnf")),
    "zypper": Cache(options=(r"--cache-dir",), fixed=("/var/cache/zypp/packages",)),
    "pacman": Cache(options=(r"--cachedir",), fixed=("/var/cache/pacman/pkg",)),
    "pip": Cache((("PIP_CACHE_DIR", ""),), ("--cache-dir",), (".cache/pip",), ("pip",), configured=r"pip[\d.]* config set \S*cache-dir (\S+)"),
    "uv": Cache((("UV_CACHE_DIR", ""),), ("--cache-dir",), (".cache/uv",), ("uv",)),
    "poetry": Cache((("POETRY_CACHE_DIR", ""),), (), (".cache/pypoetry",), ("pypoetry",), configured=r"poetry config cache-dir (\S+)"),
    "pipenv": Cache((("PIPENV_CACHE_DIR", ""), ("PIP_CACHE_DIR", "")), (), (".cache/pipenv", ".cache/pip"), ("pipenv", "pip")),
    "pdm": Cache((("PDM_CACHE_DIR", ""),), (), (".cache/pdm",), ("pdm",), configured=r"pdm config cache_dir (\S+)"),
    "conda": Cache((("CONDA_PKGS_DIRS", ""), ("MAMBA_ROOT_PREFIX", "/pkgs"), ("CONDA_DIR", "/pkgs")), (), (".conda/pkgs", ".mamba/pkgs", "micromamba/pkgs"),
                   configured=r"config --(?:add|append|prepend) pkgs_dirs (\S+)", project=r".*/pkgs"),
    "npm": Cache((("npm_config_cache", ""),), ("--cache",), (".npm",), configured=r"npm (?:config set|set) cache[= ](\S+)"),
    "yarn": Cache((("YARN_CACHE_FOLDER", ""), ("YARN_GLOBAL_FOLDER", "/cache")), ("--cache-folder", "--global-folder"), (".cache/yarn", ".yarn/berry/cache"), ("yarn",),
                  ("/usr/local/share/.cache/yarn",), configured=r"yarn config set (?:cache-folder|cacheFolder|globalFolder) (\S+)", project=r".*/\.yarn/cache"),
    "pnpm": Cache((("npm_config_store_dir", ""), ("PNPM_HOME", "/store"), ("XDG_DATA_HOME", "/pnpm/store")), ("--store-dir", "--store"), (".local/share/pnpm/store", ".pnpm-store"),
                  fixed=("/.pnpm-store",), configured=r"pnpm (?:config )?set store-dir (\S+)", project=r".*/\.?pnpm-?/?store"),
    "bun": Cache((("BUN_INSTALL_CACHE_DIR", ""), ("BUN_INSTALL", "/install/cache")), ("--cache-dir",), (".bun/install/cache",), ("bun",)),
    "cargo": Cache((("CARGO_HOME", "/registry"), ("CARGO_HOME", "/git")), (), (".cargo/registry", ".cargo/git"),
                   images=(("rust", ("/usr/local/cargo/registry", "/usr/local/cargo/git")), ("", ("/usr/local/cargo/registry", "/usr/local/cargo/git")))),
    "maven": Cache((), ("-Dmaven.repo.local",), (".m2/repository",)),
    "gradle": Cache((("GRADLE_USER_HOME", "/caches"), ("GRADLE_USER_HOME", "/wrapper")), ("--gradle-user-home", "-g"), (".gradle/caches", ".gradle/wrapper"), images=(("gradle", ("/home/gradle/.gradle/caches",)),)),
    "sbt": Cache((("COURSIER_CACHE", ""),), ("-Dsbt.ivy.home", "-Dsbt.coursier.home", "-ivy", "--ivy"), (".ivy2/cache", ".cache/coursier", ".sbt/boot", ".coursier"), ("coursier",)),
    "bundler": Cache((("BUNDLE_PATH", "/cache"), ("GEM_HOME", "/cache"), ("BUNDLE_USER_HOME", "/cache"), ("BUNDLE_USER_CACHE", ""), ("BUNDLE_CACHE_PATH", "")), ("--path",), (".bundle/cache",),
                     images=(("ruby", ("/usr/local/bundle/cache",)), ("", ("/usr/local/bundle/cache",))),
                     configured=r"bundle config (?:set )?(?:--\w+ )*path[ =](\S+)", project=r".*/cache"),
    "gem": Cache((("GEM_HOME", "/cache"), ("GEM_SPEC_CACHE", "")), (), (".gem/specs", ".cache/gem/specs", ".local/share/gem/specs"), ("gem/specs",),
                 images=(("ruby", ("/usr/local/bundle/cache",)), ("", ("/usr/local/bundle/cache",))), project=r".*/cache"),
    "composer": Cache((("COMPOSER_CACHE_DIR", ""), ("COMPOSER_HOME", "/cache")), (), (".composer/cache", ".cache/composer"), ("composer",), images=(("composer", ("/tmp/cache",)),),
                      configured=r"composer config \S*\s*cache-(?:files-)?dir (\S+)"),
    "dotnet": Cache((("NUGET_PACKAGES", ""), ("NUGET_HTTP_CACHE_PATH", "")), ("--packages",), (".nuget/packages", ".local/share/NuGet"), (),),
    "mix": Cache((("HEX_HOME", "/packages"), ("MIX_HOME", "")), (), (".hex/packages", ".cache/hex", ".mix", ".hex"), ("hex",)),
}  # fmt: skip


@dataclass
class Surroundings:
    """What holds at a step, as far as the text of the instructions tells: the little that folders depend on."""

    env: dict[str, str]
    root: bool
    base: str
    earlier: str  # the texts of the earlier RUNs of the chain of stages, for settings made by commands
    workdir: str = "/"


def expand(text: str, env: dict[str, str]) -> str:
    """`$A`, `${A}`, `${A:-b}` from env; what is unknown stays as it is."""

    def value(match: re.Match) -> str:
        name, rest = match.group(1) or match.group(3), match.group(2) or ""
        if env.get(name):
            return env[name]
        default = re.match(r":?-(.*)", rest)
        return default.group(1) if default else match.group()

    for _ in range(4):
        expanded = re.sub(r"\$\{(\w+)([^}]*)\}|\$(\w+)", value, text)
        if expanded == text:
            break
        text = expanded
    return text


def clean(path: str) -> str:
    """One form for a path: no double and no last slash."""
    return re.sub(r"/+", "/", path).rstrip("/") or "/"


def homes(target: str, at: Surroundings) -> list[str]:
    """The home folders to reckon with: HOME, else /root for root; for others, what precedes the first dot folder of a target."""
    if at.env.get("HOME"):
        return [clean(at.env["HOME"])]
    if at.root:
        return ["/root"]
    guess = re.match(r"(/[^.]*?)/\.", target)
    return [guess.group(1) if guess else "/home/user", "/root"]


def go_folders(command: Command, env: dict[str, str], target: str, at: Surroundings) -> list[str]:
    """Go's module cache, and for commands that compile its build cache too."""
    if env.get("GOMODCACHE"):
        modules = [env["GOMODCACHE"]]
    elif env.get("GOPATH"):
        modules = [env["GOPATH"].split(":")[0] + "/pkg/mod"]
    else:
        modules = ["/go/pkg/mod"]  # golang's and most other images that have Go
        if at.base != "golang":
            modules += [home + "/go/pkg/mod" for home in homes(target, at)]
    if re.match(r"(-C \S+ )?(mod|get)\b", command.text):
        return modules
    if env.get("GOCACHE"):
        return [*modules, env["GOCACHE"]]
    if env.get("XDG_CACHE_HOME"):
        return [*modules, env["XDG_CACHE_HOME"] + "/go-build"]
    return [*modules, *(home + "/.cache/go-build" for home in homes(target, at))]


def folders(manager: str, command: Command, target: str, at: Surroundings) -> list[str]:
    """The folders in which this command keeps its downloads. Where a setting names one, only that one."""
    env = {**at.env, **{k: expand(v, at.env) for k, v in command.variables.items()}}
    if manager == "go":
        return [clean(folder) for folder in go_folders(command, env, target, at)]
    cache = CACHES[manager]
    lower = {k.lower(): v for k, v in env.items()}
    text = command.text
    named = [m.group(1) for option in cache.options for m in re.finditer(rf"(?:^|[\s=]){re.escape(option)}[=\s]([^\s]+)", text, re.I)]
    if named:
        return [clean(expand(n.strip("\"'").replace("~", homes(target, at)[0], 1), env)) for n in named]
    named = [lower[v.lower()] + behind for v, behind in cache.variables if lower.get(v.lower())]
    if cache.configured:
        named += [m.group(1) for m in re.finditer(cache.configured, at.earlier)]
    named = [clean(expand(n.strip("\"'").replace("~", homes(target, at)[0], 1), env)) for n in named]
    if named and manager not in ("pnpm", "pipenv", "bundler", "gem", "sbt", "conda", "mix"):
        return named
    if "XDG_CACHE_HOME" in env and cache.xdg:
        named += [clean(env["XDG_CACHE_HOME"] + "/" + x) for x in cache.xdg]
    in_home = [f"{home}/{below}" for home in homes(target, at) for below in cache.home]
    if manager == "yarn" and at.root and not command.as_other_user:
        in_home = [f for f in in_home if not f.endswith("/.cache/yarn")]  # Yarn 1 as root keeps to /usr/local/share
    images = next((places for name, places in cache.images if name == "" or name == at.base), ())
    own_image = any(name and name == at.base for name, _ in cache.images)
    found = named + list(cache.fixed) + list(images)
    if not (own_image and manager == "cargo"):
        found += in_home
    if cache.project and re.fullmatch(cache.project, target):
        found.append(target)
    return found


def overlap(a: str, b: str) -> bool:
    """Whether one path is the other or lies under it."""
    a, b = clean(a), clean(b)
    return a == b or a.startswith(b.rstrip("/") + "/") or b.startswith(a.rstrip("/") + "/")


def fits(manager: str, command: Command, target: str, at: Surroundings) -> bool:
    """Whether a cache mount on `target` holds downloads of this command: its folder, a parent or a part of it."""
    return any(overlap(target, folder) for folder in folders(manager, command, target, at))


# --- What switches it off -----------------------------------------------------------------------------------------

#: In the arguments of the install itself.
OFF_OPTIONS = {
    "pip": r"--no-cache-dir", "pipenv": r"--clear", "uv": r"--no-cache|-n", "poetry": r"--no-cache", "pdm": r"--no-cache",
    "apk": r"--no-cache", "bun": r"--no-cache", "composer": r"--no-cache", "dotnet": r"--no-cache",
}  # fmt: skip
#: Variables that do it, unless they are off themselves.
OFF_VARIABLES = {
    "pip": ("PIP_NO_CACHE_DIR",), "pipenv": ("PIP_NO_CACHE_DIR",), "uv": ("UV_NO_CACHE",), "poetry": ("POETRY_NO_CACHE",),
    "pdm": ("PDM_NO_CACHE",),
}  # fmt: skip
FALSE = {"", "0", "false", "off", "no", "n", "f"}
#: Cleaning commands: (program, arguments).
CLEANERS = {
    "pip": (r"pip[\d.]*", r"^cache\s+purge"), "uv": (r"uv", r"^cache\s+(clean|prune)"), "poetry": (r"poetry", r"^cache\s+clear"),
    "npm": (r"npm", r"^cache\s+(clean|clear|rm)"), "yarn": (r"yarn", r"^cache\s+clean"), "pnpm": (r"pnpm", r"^store\s+prune"),
    "bun": (r"bun", r"^pm\s+cache\s+rm"), "go": (r"go", r"^clean\s+.*-(mod)?cache"), "conda": (r"conda|mamba|micromamba", r"^clean\b"),
    "composer": (r"composer\S*", r"(clear-?cache|\bcc\b)"), "dotnet": (r"dotnet", r"^nuget\s+locals\s+.*(-c|--clear)"),
    "dnf": (r"dnf|dnf5|yum|microdnf|tdnf", r"(^|\s)clean(\s|$)"), "zypper": (r"zypper", r"(^|\s)(clean|cc)(\s|$)"), "pacman": (r"pacman", r"-S[a-z]*c"),
    "apk": (r"apk", r"(^|\s)cache\s+(clean|purge)"),
}  # fmt: skip


def removed_paths(commands: list[Command], env: dict[str, str], home: str) -> list[str]:
    """What the `rm`s of a step remove, globs cut off at their first star."""
    found = []
    for command in commands:
        if command.program != "rm":
            continue
        for argument in command.arguments:
            if not argument.startswith("-"):
                path = expand(re.sub(r"^~(?=/|$)", home, argument), {"HOME": home, **env})
                for choice in braces(path):
                    found.append(clean(re.sub(r"/[^/]*[*?\[].*$", "", choice)))
    return [path for path in found if path.startswith("/") and path != "/"]


def braces(path: str) -> list[str]:
    """`a{b,c}` as the shell writes it out."""
    match = re.search(r"\{([^{}$]*,[^{}]*)\}", path)
    if not match or path[max(match.start() - 1, 0)] == "$":
        return [path]
    return [choice for part in match.group(1).split(",") for choice in braces(path[: match.start()] + part + path[match.end() :])]


def switched_off(manager: str, install: Command, commands: list[Command], targets: list[str], at: Surroundings) -> str | None:
    """What makes a fitting mount useless in this step, in a word; None where nothing does."""
    text = install.text
    if manager in OFF_OPTIONS and re.search(rf"(?:^|\s)(?:{OFF_OPTIONS[manager]})(?=\s|$)", text):
        return "option " + OFF_OPTIONS[manager].split("|")[0]
    exported = {k: v for c in commands if c.program in ("export", "") for k, v in [*c.variables.items(), *(a.split("=", 1) for a in c.arguments if "=" in a)]}
    unset = {a for c in commands if c.program == "unset" for a in c.arguments}
    for name in OFF_VARIABLES.get(manager, ()):
        value = install.variables.get(name, exported.get(name, "" if name in unset else at.env.get(name, "")))
        if value.strip("\"'").lower() not in FALSE:
            return "variable " + name
    if manager in CLEANERS:
        program, arguments = CLEANERS[manager]
        if any(re.fullmatch(program, c.program) and re.search(arguments, c.text) for c in commands):
            return "a clean command"
    for path in removed_paths(commands, at.env, homes("", at)[0]):
        if any(overlap(path, target) for target in targets):
            return "rm of the mount"
    return special_needs(manager, install, commands, targets, at)


def special_needs(manager: str, install: Command, commands: list[Command], targets: list[str], at: Surroundings) -> str | None:
    """What a system package manager needs besides the mount to keep what it downloads."""
    here = " ; ".join(f"{c.program} {c.text}" for c in commands)
    if manager == "apt":
        moved = re.search(r"Dir::Cache(::Archives)?=", install.text, re.I)
        if not moved:
            if not re.search(r"docker-clean|Keep-Downloaded-Packages", at.earlier + here):
                return "docker-clean"
            if any(c.program in ("apt", "apt-get") and re.search(r"(^|\s)(clean|autoclean|dist-clean)(\s|$)", c.text) for c in commands):
                return "apt-get clean"
    if manager == "apk":
        linked = re.search(r"/etc/apk/cache", at.earlier + here)
        if not re.search(r"--cache-dir", install.text) and not linked and not any(overlap(t, "/etc/apk/cache") for t in targets):
            return "no /etc/apk/cache"
    if manager == "dnf" and install.program not in ("tdnf",):
        if not re.search(r"keepcache\s*=\s*(1|true|yes|on)", install.text + at.earlier + here, re.I):
            return "keepcache"
    if manager == "zypper" and not re.search(r"keep-?packages|(^|\s)(mr|modifyrepo)\s.*(-k|--keep)|keeppackages\s*=\s*1", at.earlier + here):
        return "keep-packages"
    return None


def quick_filter(instruction: dict) -> bool:
    """Whether a step's text names any manager's program at all: saves reading the others."""
    text = " ".join([*instruction["value"], *(h["content"] for h in instruction["heredocs"])])
    return bool(ANY_PROGRAM.search(text))


ANY_PROGRAM = re.compile(
    r"\b(?:apt|aptitude|apk|dnf|dnf5|yum|microdnf|tdnf|zypper|pacman|powerpill|pip|uv|poetry|pipenv|pdm|conda|mamba|micromamba|npm|yarn|yarnpkg|pnpm|bun|go|"
    r"cargo|mvnw?|mvnd|gradlew?|sbt|bundler?|gem|composer|dotnet|mix)|pip[\d.]|gem\d|yum-builddep"
)


def join(command: Command) -> str:
    """The command as one line for people."""
    return shlex.join([command.program, *(a.replace(SPACE, " ") for a in command.arguments)])
