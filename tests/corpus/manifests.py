"""What each package manager's install reads of a project, written from the managers' manuals and not from src/ecosystems.

`reads` answers, for an install and the files that are there when it runs, with the files that it opens and that are there. It is
the list that a moved install is held against: all of it must stand above it. Paths are those inside the container. A file whose
text was not collected counts, but nothing is followed from it.

Each reader names the page of the manual that it follows. Looked up when this was written: npm's scripts, `pnpm fetch`, yarn's patches,
pip's requirements file, uv in Docker, cargo's configuration, Maven's relativePath (in copies of its text), `eval_gemfile` (bundler's
source), `poetry install` (its help). The others' pages are named from knowledge and were not opened: bun, pdm, pipenv, conda, go,
cargo's workspaces, gradle, sbt, composer's schema, the Directory.* files of dotnet, mix.
"""

import posixpath
import re
from collections.abc import Callable

from installs import Install, words_without_options
from tree import Tree, join, upwards

Found = set[str]


def reads(install: Install, tree: Tree) -> Found:
    """The files that this install opens, of those that are there."""
    if install.kind in ("system", "named") or install.manager not in READERS:
        return set()
    wanted = READERS[install.manager](install, tree) | project_of(install, tree)
    return {path for path in wanted if path in tree}


def needed(install: Install, tree: Tree) -> Found:
    """Of those, the ones that getting the dependencies needs: the rest is the project itself, which a half install leaves for later."""
    if install.kind in ("system", "named") or install.manager not in READERS:
        return set()
    return {path for path in READERS[install.manager](install, tree) if path in tree}


def project_of(install: Install, tree: Tree) -> Found:
    """What a manager reads that installs or autoloads the project itself."""
    return PROJECTS[install.manager](install, tree) if install.manager in PROJECTS else set()


def nearest(tree: Tree, folder: str, name: str) -> str:
    """The nearest folder upwards that has a file of this name; the folder itself where there is none."""
    return next((f for f in upwards(folder) if join(f, name) in tree), folder)


def words_that_are_files(text: str, folder: str, tree: Tree) -> Found:
    """The words of a script that are files of the project, and all of a folder that is named."""
    found = set()
    for word in re.findall(r"[\w@./+-]+", text):
        path = join(folder, word)
        if path in tree:
            found.add(path)
        elif "/" in word and tree.is_folder(path) and path != folder:
            found.update(tree.below(path))
        found.update(p for p in (path + ending for ending in (".js", ".cjs", ".mjs", ".ts")) if "/" in word and p in tree)
    return found


# --- JavaScript ---------------------------------------------------------------------------------------------------

#: https://docs.npmjs.com/cli/v9/using-npm/scripts: `npm ci` and `npm install` run these of the root package.
LIFE_CYCLE = ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"]


def dependencies_of(package: dict) -> dict[str, str]:
    found = {}
    for group in ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "resolutions"):
        found.update({k: v for k, v in (package.get(group) or {}).items() if isinstance(v, str)})
    return found


def members(tree: Tree, root: str, patterns: list[str]) -> Found:
    """The package.json of each workspace; `!` takes some out again."""
    found = set()
    for pattern in patterns:
        files = set(tree.glob(root, pattern.lstrip("!").removeprefix("./").rstrip("/"), "package.json"))
        found = found - files if pattern.startswith("!") else found | files
    return {path for path in found if "/node_modules/" not in path}


def workspaces_of(package: dict) -> list[str]:
    """https://docs.npmjs.com/cli/v10/using-npm/workspaces, https://classic.yarnpkg.com/en/docs/workspaces: a list, or {packages: […]}."""
    found = package.get("workspaces") or []
    found = found.get("packages", []) if isinstance(found, dict) else found
    return [w for w in found if isinstance(w, str)]


def local_packages(tree: Tree, packages: Found) -> Found:
    """`file:`, `link:` and `portal:` dependencies: a folder's package.json, or the archive."""
    found = set()
    for path in packages:
        for value in dependencies_of(tree.json(path)).values():
            if match := re.match(r"(?:file|link|portal):(?://)?(.+)|(\.{1,2}/.+)", value):
                target = join(posixpath.dirname(path), (match.group(1) or match.group(2)).split("#")[0])
                found |= {target, join(target, "package.json")}
    return found


def scripts_of(tree: Tree, packages: Found, command: str) -> Found:
    """The files that scripts of the project name, where the install runs them."""
    found = set()
    if re.search(r"--ignore-scripts(?!=false)", command):
        return found
    for path in packages:
        scripts, folder = tree.json(path).get("scripts") or {}, posixpath.dirname(path)
        for name in LIFE_CYCLE:
            found |= script_files(scripts, name, folder, tree, 0)
        if join(folder, "binding.gyp") in tree:  # the same page: without an install script node-gyp runs
            found.add(join(folder, "binding.gyp"))
    return found


def script_files(scripts: dict, name: str, folder: str, tree: Tree, depth: int) -> Found:
    """The files that a script names, `npm run x` followed."""
    text = scripts.get(name)
    if not isinstance(text, str) or depth > 4:
        return set()
    found = words_that_are_files(text, folder, tree)
    for called in re.findall(r"(?:npm|pnpm|bun)\s+run(?:-script)?\s+(?:-\S+\s+)*([\w:-]+)|yarn\s+(?:run\s+)?([\w:-]+)", text):
        found |= script_files(scripts, called[0] or called[1], folder, tree, depth + 1)
    if re.search(r"\bpatch-package\b", text):  # its README: the folder is `patches`
        found |= set(tree.below(join(folder, "patches")))
    if re.search(r"\bprisma\s+generate\b", text):  # prisma's CLI reference: ./prisma/schema.prisma, ./schema.prisma
        found |= {join(folder, "prisma/schema.prisma"), join(folder, "schema.prisma")} | set(tree.glob(join(folder, "prisma"), "**/*.prisma"))
    return found


def read_npm(install: Install, tree: Tree) -> Found:
    """https://docs.npmjs.com/cli/v10/configuring-npm/folders (the nearest package.json upwards), …/npmrc, …/package-lock-json,
    …/npm-shrinkwrap-json (it goes first), …/npm-install (file: dependencies are linked)."""
    root = nearest(tree, install.folder, "package.json")
    root = workspace_root(tree, root)
    package = join(root, "package.json")
    packages = {package} | members(tree, root, workspaces_of(tree.json(package)))
    local = local_packages(tree, packages)
    lock = "npm-shrinkwrap.json" if join(root, "npm-shrinkwrap.json") in tree else "package-lock.json"
    return packages | local | {join(root, lock), join(root, ".npmrc")} | scripts_of(tree, packages, install.command.text)


def workspace_root(tree: Tree, folder: str) -> str:
    """The folder upwards whose workspaces hold this one; the folder itself where there is none."""
    own = join(folder, "package.json")
    for upper in upwards(folder):
        if upper != folder and own in members(tree, upper, workspaces_of(tree.json(join(upper, "package.json")))):
            return upper
    return folder


def read_yarn(install: Install, tree: Tree) -> Found:
    """https://classic.yarnpkg.com/en/docs/yarnrc, https://yarnpkg.com/configuration/yarnrc (yarnPath, plugins), …/protocol/patch."""
    root = workspace_root(tree, nearest(tree, install.folder, "package.json"))
    package = join(root, "package.json")
    packages = {package} | members(tree, root, workspaces_of(tree.json(package)))
    found = packages | local_packages(tree, packages) | {join(root, n) for n in ("yarn.lock", ".yarnrc", ".yarnrc.yml", ".npmrc", ".pnp.cjs")}
    rc = (tree.text(join(root, ".yarnrc.yml")) or "") + "\n" + (tree.text(join(root, ".yarnrc")) or "")
    for value in re.findall(r"^\s*-?\s*(?:yarnPath|yarn-path|path)\s*:?\s+[\"']?([^\"'\s]+)", rc, re.M):
        found.add(join(root, value))
    for value in re.findall(r"yarn-offline-mirror\s+[\"']?([^\"'\s]+)", rc):
        found |= set(tree.below(join(root, value)))
    for path in packages:  # https://yarnpkg.com/protocol/patch: after the #, relative to the package, or to the project with ~/
        for value in dependencies_of(tree.json(path)).values():
            if value.startswith("patch:") and "#" in value:
                target = value.rsplit("#", 1)[1].removeprefix("optional!").split("::")[0]
                found.add(join(root, target[2:]) if target.startswith("~/") else join(posixpath.dirname(path), target))
    found |= set(tree.below(join(root, ".yarn/patches"))) | set(tree.below(join(root, ".yarn/plugins")))
    if join(root, ".yarnrc.yml") in tree:
        found |= set(tree.below(join(root, ".yarn/cache")))
    return found | scripts_of(tree, packages, install.command.text)


def read_pnpm(install: Install, tree: Tree) -> Found:
    """https://pnpm.io/cli/fetch (its own list of what an install needs), …/pnpm-workspace_yaml, …/pnpmfile, …/cli/patch."""
    root = nearest(tree, install.folder, "pnpm-workspace.yaml")
    if join(root, "pnpm-workspace.yaml") not in tree:
        root = nearest(tree, install.folder, "package.json")
    yaml = tree.text(join(root, "pnpm-workspace.yaml")) or ""
    block = re.search(r"^packages:[ \t]*\n((?:[ \t]*(?:-.*|#.*)?\n?)*)", yaml, re.M)
    patterns = re.findall(r"^\s*-\s*[\"']?([^\"'#\s]+)", block.group(1), re.M) if block else []
    package = join(root, "package.json")
    settings = tree.json(package).get("pnpm") or {}
    patches = [v for v in (settings.get("patchedDependencies") or {}).values() if isinstance(v, str)]
    block = re.search(r"^patchedDependencies:[ \t]*\n((?:[ \t]+.*\n?)*)", yaml, re.M)
    patches += re.findall(r":\s*[\"']?([^\"'\s]+\.patch)", block.group(1)) if block else []
    found = {join(root, n) for n in ("pnpm-lock.yaml", "pnpm-workspace.yaml", ".npmrc", ".pnpmfile.cjs", ".pnpmfile.mjs")}
    found |= {join(root, p) for p in patches}
    if "fetch" in words_without_options(install.command)[:1]:
        return found
    packages = {package, join(install.folder, "package.json")} | members(tree, root, patterns)
    return found | packages | local_packages(tree, packages) | scripts_of(tree, packages, install.command.text)


def read_bun(install: Install, tree: Tree) -> Found:
    """https://bun.sh/docs/cli/install, …/runtime/bunfig, …/install/workspaces, …/install/patch."""
    root = workspace_root(tree, nearest(tree, install.folder, "package.json"))
    package = join(root, "package.json")
    packages = {package} | members(tree, root, workspaces_of(tree.json(package)))
    patches = {join(root, v) for v in (tree.json(package).get("patchedDependencies") or {}).values()}
    names = {join(root, n) for n in ("bun.lock", "bun.lockb", "bunfig.toml", ".npmrc")}
    return packages | names | patches | local_packages(tree, packages) | scripts_of(tree, packages, install.command.text)


# --- Python -------------------------------------------------------------------------------------------------------


def requirement_files(path: str, tree: Tree, seen: Found, run_in: str) -> Found:
    """https://pip.pypa.io/en/stable/reference/requirements-file-format: -r and -c (relative to their file), -e, paths and --find-links
    (relative to the folder that pip runs in)."""
    if path in seen or path not in tree:
        return {path}
    seen.add(path)
    found, folder = {path}, posixpath.dirname(path)
    for line in (tree.text(path) or "").replace("\\\n", " ").splitlines():
        line = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if match := re.match(r"(?:-r|-c|--requirement|--constraint)[=\s]*(\S+)", line):
            if "://" not in match.group(1):
                found |= requirement_files(join(folder, match.group(1)), tree, seen, run_in)
        elif match := re.match(r"(?:-e|--editable|-f|--find-links)[=\s]+(\S+)", line):
            if "://" not in match.group(1):
                found |= local_project(join(run_in, match.group(1).split("[")[0]), tree)
        elif match := re.match(r"(?:\S+\s*@\s*)?file:(?://)?(\S+)|(\.{1,2}/\S+|\.$)", line):
            found |= local_project(join(run_in, match.group(1) or match.group(2)), tree)
    return found


def local_project(path: str, tree: Tree) -> Found:
    """A folder that is built: all of it may be read. An archive: itself."""
    return {path} if path in tree else set(tree.below(path))


def read_pip(install: Install, tree: Tree) -> Found:
    """https://pip.pypa.io/en/stable/cli/pip_install: files after -r and -c, paths, --find-links."""
    found: Found = set()
    for path in install.files:
        if path in tree:
            found |= requirement_files(path, tree, set(), install.folder)
        else:  # a folder that is built: what tells its dependencies
            found |= {join(path, name) for name in ("pyproject.toml", "setup.py", "setup.cfg")}
    return found


def project_of_pip(install: Install, tree: Tree) -> Found:
    """`pip install .`: a build backend may read all of it."""
    return {path for folder in install.files if folder not in tree for path in tree.below(folder)}


def read_uv(install: Install, tree: Tree) -> Found:
    """https://docs.astral.sh/uv/guides/integration/docker (what a sync without the project needs), …/concepts/configuration-files,
    …/concepts/projects/workspaces, …/concepts/projects/dependencies#path."""
    config = {join(f, n) for f in upwards(install.folder) for n in ("uv.toml", ".python-version", ".python-versions")}
    if re.search(r"(?:^|\s)pip\s", install.command.text):
        files = words_without_options(install.command)[2:] if "pip sync" in install.command.text else []
        install = Install(install.manager, install.kind, install.command, install.folder, [*install.files, *(join(install.folder, f) for f in files)])
        return read_pip(install, tree) | {p for p in config if p.endswith("uv.toml")} | {join(install.folder, "pyproject.toml")} & set(install.files)
    root = nearest(tree, install.folder, "pyproject.toml")
    found = config | {join(root, "pyproject.toml"), join(root, "uv.lock")}
    settings = tree.toml(join(root, "pyproject.toml")).get("tool", {}).get("uv", {})
    for pattern in settings.get("workspace", {}).get("members", []):
        found |= set(tree.glob(root, pattern, "pyproject.toml"))
    for source in settings.get("sources", {}).values():
        if isinstance(source, dict) and "path" in source:
            found |= local_project(join(root, source["path"]), tree)
    return found


def project_of_uv(install: Install, tree: Tree) -> Found:
    """Without --no-install-project a package is built."""
    if re.search(r"(?:^|\s)pip\s", install.command.text):
        return project_of_pip(install, tree)
    root = nearest(tree, install.folder, "pyproject.toml")
    packaged = install.kind == "project" and is_package(tree.toml(join(root, "pyproject.toml")))
    return set(tree.below(root)) if packaged else set()


def is_package(project: dict) -> bool:
    """https://docs.astral.sh/uv/concepts/projects/config/#project-packaging: only with a build system, or where it is said."""
    packaged = project.get("tool", {}).get("uv", {}).get("package")
    return bool(packaged) if packaged is not None else "build-system" in project


def read_poetry(install: Install, tree: Tree) -> Found:
    """https://python-poetry.org/docs/cli/#install (--no-root), …/configuration (poetry.toml), …/dependency-specification/#path-dependencies."""
    root = nearest(tree, install.folder, "pyproject.toml")
    project = tree.toml(join(root, "pyproject.toml"))
    found = {join(root, n) for n in ("pyproject.toml", "poetry.lock", "poetry.toml")}
    settings = project.get("tool", {}).get("poetry", {})
    tables = [settings.get("dependencies", {}), settings.get("dev-dependencies", {})]
    tables += [group.get("dependencies", {}) for group in settings.get("group", {}).values()]
    if "--no-directory" not in install.command.text:
        for value in (v for table in tables for v in table.values() if isinstance(v, dict) and "path" in v):
            found |= local_project(join(root, value["path"]), tree)
    return found


def project_of_poetry(install: Install, tree: Tree) -> Found:
    """Without --no-root the project is installed, unless package-mode is off."""
    root = nearest(tree, install.folder, "pyproject.toml")
    settings = tree.toml(join(root, "pyproject.toml")).get("tool", {}).get("poetry", {})
    return set(tree.below(root)) if settings.get("package-mode", True) and install.kind == "project" else set()


def read_pdm(install: Install, tree: Tree) -> Found:
    """https://pdm-project.org/latest/reference/cli/#install (--no-self), …/reference/configuration."""
    root = nearest(tree, install.folder, "pyproject.toml")
    return {join(root, n) for n in ("pyproject.toml", "pdm.lock", "pdm.toml", ".pdm-python")}


def project_of_pdm(install: Install, tree: Tree) -> Found:
    """Without --no-self a package is installed."""
    root = nearest(tree, install.folder, "pyproject.toml")
    packaged = "build-system" in tree.toml(join(root, "pyproject.toml")) and "--no-self" not in install.command.text
    return set(tree.below(root)) if packaged else set()


def read_pipenv(install: Install, tree: Tree) -> Found:
    """https://pipenv.pypa.io/en/latest/pipfile.html: Pipfile and its lock; `path = ` and `editable`."""
    root = nearest(tree, install.folder, "Pipfile")
    found = {join(root, "Pipfile"), join(root, "Pipfile.lock")}
    for value in re.findall(r"(?:path|file)\s*=\s*[\"'](\.[^\"']*)", tree.text(join(root, "Pipfile")) or ""):
        found |= local_project(join(root, value), tree)
    return found


def read_conda(install: Install, tree: Tree) -> Found:
    """https://docs.conda.io/projects/conda/en/stable/commands/env/create.html: --file, else environment.yml; a pip section's -r."""
    files = install.files or [join(install.folder, "environment.yml"), join(install.folder, "environment.yaml")]
    found = set(files)
    for path in files:
        for name in re.findall(r"-r\s+(\S+)", tree.text(path) or ""):
            found |= requirement_files(join(posixpath.dirname(path), name), tree, set(), install.folder)
    return found


# --- Go, Rust -----------------------------------------------------------------------------------------------------


def read_go(install: Install, tree: Tree) -> Found:
    """https://go.dev/ref/mod: go.mod and go.sum of the module, `replace` with a path, go.work with its `use` and go.work.sum."""
    root = nearest(tree, install.folder, "go.mod")
    work = next((join(f, "go.work") for f in upwards(install.folder) if join(f, "go.work") in tree), None)
    modules, found = [root], {f"{work}", f"{work}.sum"} if work else set()
    text = tree.text(work) or "" if work else ""
    for block in re.findall(r"^use\s*\(([^)]*)\)|^use\s+(\S+)", text, re.M):
        modules += [join(posixpath.dirname(work), m) for m in re.findall(r"^\s*([^\s/][^\s]*|\.\S*)", block[0] or block[1], re.M)]
    seen = set()
    while modules:
        module = modules.pop()
        if module in seen:
            continue
        seen.add(module)
        found |= {join(module, "go.mod"), join(module, "go.sum")}
        for value in re.findall(r"=>\s*(\.{1,2}/?\S*)", tree.text(join(module, "go.mod")) or ""):
            modules.append(join(module, value))
    return found


def read_cargo(install: Install, tree: Tree) -> Found:
    """https://doc.rust-lang.org/cargo/reference/workspaces.html, …/specifying-dependencies.html#specifying-path-dependencies,
    …/config.html#hierarchical-structure; https://rust-lang.github.io/rustup/overrides.html; cargo-chef's README for `cook`."""
    up = list(upwards(install.folder))
    found = {join(f, n) for f in up for n in (".cargo/config.toml", ".cargo/config", "rust-toolchain.toml", "rust-toolchain")}
    if re.search(r"chef\s+cook", install.command.text):
        return found | {join(install.folder, "recipe.json")}
    root = nearest(tree, install.folder, "Cargo.toml")
    for upper in upwards(root):
        if "workspace" in tree.toml(join(upper, "Cargo.toml")):
            root = upper
            break
    packages, seen = [root], set()
    for pattern in tree.toml(join(root, "Cargo.toml")).get("workspace", {}).get("members", []):
        packages += [posixpath.dirname(p) for p in tree.glob(root, pattern, "Cargo.toml")]
    while packages:
        package = packages.pop()
        if package in seen:
            continue
        seen.add(package)
        manifest = tree.toml(join(package, "Cargo.toml"))
        packages += [join(package, path) for path in paths_in(manifest)]
    return found | {join(p, "Cargo.toml") for p in seen} | {join(root, "Cargo.lock")}


def paths_in(manifest: dict) -> list[str]:
    """Every `path = ` of a dependency table, also in [patch], [target.…], [workspace.dependencies]."""
    found = []
    for key, value in manifest.items():
        if key in ("dependencies", "dev-dependencies", "build-dependencies"):
            found += [v["path"] for v in value.values() if isinstance(v, dict) and isinstance(v.get("path"), str)]
        elif key in ("patch", "replace"):
            tables = value.values() if key == "patch" else [value]
            found += [v["path"] for table in tables for v in table.values() if isinstance(v, dict) and isinstance(v.get("path"), str)]
        elif key in ("target", "workspace") and isinstance(value, dict):
            for inner in [value, *(v for v in value.values() if isinstance(v, dict))]:
                found += paths_in({k: v for k, v in inner.items() if k.endswith("dependencies") and isinstance(v, dict)})
    return found


# --- JVM ----------------------------------------------------------------------------------------------------------


def read_maven(install: Install, tree: Tree) -> Found:
    """https://maven.apache.org/pom.html#aggregation and #inheritance (relativePath is ../pom.xml), https://maven.apache.org/configure.html (.mvn/),
    https://maven.apache.org/wrapper."""
    root = install.folder
    if match := re.search(r"(?:^|\s)(?:-f|--file)[=\s]+(\S+)", install.command.text):
        poms = [match.group(1) if match.group(1).startswith("/") else join(root, posixpath.basename(match.group(1)))]
    else:
        poms = [join(root, "pom.xml")]
    poms = [p if p.endswith(".xml") else join(p, "pom.xml") for p in poms]
    found, seen = set(install.files), set()
    while poms:
        pom = poms.pop()
        if pom in seen or pom not in tree:
            continue
        seen.add(pom)
        folder, text = posixpath.dirname(pom), re.sub(r"<!--.*?-->", "", tree.text(pom) or "", flags=re.S)
        for module in re.findall(r"<(?:module|subproject)>\s*([^<\s]+)\s*<", text):
            path = join(folder, module)
            poms.append(path if path.endswith(".xml") else join(path, "pom.xml"))
        if parent := re.search(r"<parent>(.*?)</parent>", text, re.S):
            relative = re.search(r"<relativePath>\s*([^<]*?)\s*</relativePath>", parent.group(1))
            path = join(folder, relative.group(1) if relative else "../pom.xml")
            if not re.search(r"<relativePath\s*/>", parent.group(1)) and not (relative and not relative.group(1)):
                poms.append(path if path.endswith(".xml") else join(path, "pom.xml"))
    found |= seen
    for upper in upwards(root):
        if tree.is_folder(join(upper, ".mvn")):
            found |= {p for p in tree.below(join(upper, ".mvn"))}
            break
    return found | ({join(root, "mvnw")} if install.command.program == "mvnw" else set())


def read_gradle(install: Install, tree: Tree) -> Found:
    """https://docs.gradle.org/current/userguide/directory_layout.html, …/organizing_gradle_projects.html (buildSrc), …/build_environment.html
    (gradle.properties), …/platforms.html (gradle/*.versions.toml), …/gradle_wrapper.html; `apply from`, includeBuild."""
    root = next((f for f in upwards(install.folder) if {join(f, "settings.gradle"), join(f, "settings.gradle.kts")} & tree.files.keys()), install.folder)
    found = {p for p in tree.below(root) if re.search(r"\.gradle(?:\.kts)?$|/gradle\.properties$|/gradle\.lockfile$", p)}
    found |= set(tree.below(join(root, "buildSrc"))) | set(tree.below(join(root, "gradle")))
    for path in list(found):
        text = tree.text(path) or "" if re.search(r"\.gradle(?:\.kts)?$", path) else ""
        for value in re.findall(r"includeBuild\s*\(?\s*[\"']([^\"']+)", text):
            found |= set(tree.below(join(posixpath.dirname(path), value)))
    return found | ({join(root, "gradlew")} if install.command.program == "gradlew" else set())


def read_sbt(install: Install, tree: Tree) -> Found:
    """https://www.scala-sbt.org/1.x/docs/Directories.html: *.sbt, project/*.sbt, project/*.scala, project/build.properties; .sbtopts, .jvmopts."""
    root = install.folder
    found = set(tree.glob(root, "*.sbt")) | {join(root, ".sbtopts"), join(root, ".jvmopts")} | set(tree.glob(root, "project/**/*.sbt"))
    return found | set(tree.glob(root, "project/**/*.scala")) | set(tree.glob(root, "project/**/build.properties"))


# --- Ruby, PHP, .NET, Elixir --------------------------------------------------------------------------------------


def read_bundler(install: Install, tree: Tree) -> Found:
    """https://bundler.io/man/gemfile.5.html (gemspec, path, eval_gemfile, ruby file:), …/bundle-config.1.html (.bundle/config). A Gemfile
    is a program: what it names in quotes and what is there is read."""
    name = posixpath.basename(install.command.variables.get("BUNDLE_GEMFILE", "")) or "Gemfile"
    root = nearest(tree, install.folder, name)
    gemfiles, found = [join(root, name)], {join(root, name + ".lock"), join(root, ".bundle/config")}
    if name == "gems.rb":
        found.add(join(root, "gems.locked"))
    seen = set()
    while gemfiles:
        gemfile = gemfiles.pop()
        if gemfile in seen:
            continue
        seen.add(gemfile)
        folder = posixpath.dirname(gemfile)
        text = re.sub(r"^\s*#.*", "", tree.text(gemfile) or "", flags=re.M)
        for value in re.findall(r"(?:eval_gemfile|require_relative|instance_eval|load|require)\W[^\n\"']*[\"']([^\"']+)", text):
            for path in (join(folder, value), join(folder, value) + ".rb"):
                if path in tree:
                    gemfiles.append(path)
        for value in re.findall(r"path:?\s*(?:=>)?\s*[\"']([^\"']+)", text):
            found |= set(tree.below(join(folder, value))) if not value.startswith("http") else set()
        for value in re.findall(r"(?:file:\s*|File\.read\W+|read\()[\"']([^\"']+)", text):
            found.add(join(folder, value))
        if re.search(r"^\s*gemspec\b", text, re.M):
            found |= gemspec_files(tree, folder)
    for value in re.findall(r"^PATH\n  remote: (\S+)", tree.text(join(root, name + ".lock")) or "", re.M):  # the lock's path gems
        found |= set(tree.below(join(root, value))) - {join(root, value)}
    return found | seen


def gemspec_files(tree: Tree, folder: str) -> Found:
    """A gemspec and the files that it requires to tell its version."""
    found = set(tree.glob(folder, "*.gemspec"))
    for path in list(found):
        text = tree.text(path) or ""
        for value in re.findall(r"(?:require_relative|require|load|read)\W[^\n\"']*[\"']([^\"']+)", text):
            found |= {p for p in (join(folder, value), join(folder, value + ".rb"), join(folder, "lib", value + ".rb")) if p in tree}
    return found


def read_composer(install: Install, tree: Tree) -> Found:
    """https://getcomposer.org/doc/03-cli.md#install-i (--no-scripts, --no-autoloader), …/04-schema.md#autoload (files and classmap must be there),
    …/05-repositories.md#path, …/articles/authentication-for-private-packages.md (auth.json); symfony/flex's README (symfony.lock)."""
    root, text = install.folder, install.command.text
    package = tree.json(join(root, "composer.json"))
    found = {join(root, n) for n in ("composer.json", "composer.lock", "auth.json", "symfony.lock")}
    repositories = package.get("repositories") or []
    for repository in repositories.values() if isinstance(repositories, dict) else repositories:
        if isinstance(repository, dict) and repository.get("type") in ("path", "artifact"):
            for path in tree.glob(root, repository.get("url", "").rstrip("/"), "**/*"):
                found.add(path)
    return found


def project_of_composer(install: Install, tree: Tree) -> Found:
    """What autoload names, and the scripts' files."""
    root, text = install.folder, install.command.text
    package, found = tree.json(join(root, "composer.json")), set()
    if "--no-autoloader" not in text:
        for autoload in [package.get("autoload") or {}, *([] if "--no-dev" in text else [package.get("autoload-dev") or {}])]:
            for value in [*autoload.get("files", []), *autoload.get("classmap", [])]:
                found |= local_project(join(root, value), tree)
            if re.search(r"--optimize-autoloader|--classmap-authoritative|(?:^|\s)-\w*[oa]\w*(?=\s|$)", text):
                for folders in [*(autoload.get("psr-4") or {}).values(), *(autoload.get("psr-0") or {}).values()]:
                    for value in [folders] if isinstance(folders, str) else folders:
                        found |= set(tree.below(join(root, value)))
    if "--no-scripts" not in text:
        scripts = package.get("scripts") or {}
        for name in ("pre-install-cmd", "post-install-cmd", "pre-autoload-dump", "post-autoload-dump", "post-root-package-install"):
            for line in [scripts[name]] if isinstance(scripts.get(name), str) else scripts.get(name) or []:
                found |= words_that_are_files(line, root, tree)
    return found


def read_dotnet(install: Install, tree: Tree) -> Found:
    """https://learn.microsoft.com/dotnet/core/tools/dotnet-restore, …/visualstudio/msbuild/customize-by-directory (Directory.*.props and .targets, the
    nearest upwards), …/nuget/consume-packages/configuring-nuget-behavior (NuGet.Config upwards), …/central-package-management, …/tools/global-json."""
    endings = r"\.(?:csproj|fsproj|vbproj|sln|slnx|slnf|proj)$"
    projects = [p for p in install.files if p in tree] or [p for p in tree.glob(install.folder, "*") if re.search(endings, p)]
    words = [join(install.folder, w) for w in words_without_options(install.command)[1:]]
    for word in words:
        projects += [p for p in tree.glob(word, "*") if re.search(endings, p)]
    found, seen = set(), set()
    while projects:
        path = projects.pop()
        if path in seen or path not in tree:
            continue
        seen.add(path)
        folder, text = posixpath.dirname(path), tree.text(path) or ""
        for value in re.findall(r"<ProjectReference[^>]*Include=\"([^\"]+)\"|\"([^\"]+\.\w+proj)\"|Path=\"([^\"]+\.\w+proj)\"|<Import[^>]*Project=\"([^\"$]+)\"", text):
            projects.append(join(folder, next(v for v in value if v).replace("\\", "/")))
        for upper in upwards(folder):
            names = ("Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "NuGet.Config", "nuget.config", "NuGet.config", "global.json")
            found |= {join(upper, n) for n in names}
        found |= {join(folder, "packages.lock.json"), join(folder, ".config/dotnet-tools.json")}
    return found | seen


def read_mix(install: Install, tree: Tree) -> Found:
    """https://hexdocs.pm/mix/Mix.html (mix.exs; config/ is read where it is there, and `mix deps.get` does without, as in Phoenix' own Dockerfile), …/Mix.Tasks.Deps.html (path:), …/Mix.Project.html (umbrella's apps/*)."""
    root = nearest(tree, install.folder, "mix.exs")
    text = tree.text(join(root, "mix.exs")) or ""
    found = {join(root, "mix.exs"), join(root, "mix.lock")}
    found |= set(tree.glob(root, "apps/*", "mix.exs"))
    for value in re.findall(r"path:\s*\"([^\"]+)\"", text):
        found |= set(tree.glob(join(root, value), "mix.exs"))
    for value in re.findall(r"File\.read!?\(\"([^\"]+)\"", text):
        found.add(join(root, value))
    return found


PROJECTS: dict[str, Callable[[Install, Tree], Found]] = {
    "pip": project_of_pip, "uv": project_of_uv, "poetry": project_of_poetry, "pdm": project_of_pdm, "composer": project_of_composer,
}  # fmt: skip
READERS: dict[str, Callable[[Install, Tree], Found]] = {
    "npm": read_npm, "yarn": read_yarn, "pnpm": read_pnpm, "bun": read_bun,
    "pip": read_pip, "uv": read_uv, "poetry": read_poetry, "pdm": read_pdm, "pipenv": read_pipenv, "conda": read_conda,
    "go": read_go, "cargo": read_cargo, "maven": read_maven, "gradle": read_gradle, "sbt": read_sbt,
    "bundler": read_bundler, "composer": read_composer, "dotnet": read_dotnet, "mix": read_mix,
}  # fmt: skip


# --- By name alone ------------------------------------------------------------------------------------------------

NAMES = re.compile(
    r"""(?:^|/)(?:
        package(?:-lock)?\.json | npm-shrinkwrap\.json | \.npmrc | yarn\.lock | \.yarnrc(?:\.yml)? | \.pnp\.\w+ | lerna\.json | nx\.json | turbo\.json
      | pnpm-lock\.yaml | pnpm-workspace\.yaml | \.pnpmfile\.[cm]js | bun\.lockb? | bunfig\.toml | \.nvmrc | \.node-version
      | [^/]*requirements[^/]*\.(?:txt|in|pip|lock) | constraints[^/]*\.txt | requirements/[^/]+\.(?:txt|in) | pyproject\.toml | setup\.(?:cfg|py)
      | poetry\.(?:lock|toml) | uv\.(?:lock|toml) | \.python-versions? | Pipfile(?:\.lock)? | pdm\.(?:lock|toml) | environment[^/]*\.ya?ml
      | go\.(?:mod|sum|work|work\.sum) | Cargo\.(?:toml|lock) | rust-toolchain(?:\.toml)? | \.cargo/config(?:\.toml)?
      | pom\.xml | \.mvn/.* | mvnw(?:\.cmd)? | [^/]*\.gradle(?:\.kts)? | gradle\.properties | gradle/.* | gradlew(?:\.bat)? | build\.sbt
      | project/(?:[^/]+\.sbt|build\.properties) | Gemfile[^/]* | gems\.(?:rb|locked) | [^/]+\.gemspec | \.ruby-version | \.tool-versions | \.bundle/config
      | composer\.(?:json|lock) | symfony\.lock | auth\.json | [^/]+\.(?:cs|fs|vb)proj | [^/]+\.slnx? | [^/]+\.slnf | Directory\.[^/]+\.(?:props|targets)
      | nuget\.config | NuGet\.[Cc]onfig | global\.json | packages\.lock\.json | dotnet-tools\.json | mix\.(?:exs|lock) | config/[^/]+\.exs
    )$""",
    re.X | re.I,
)


def looks_like_manifest(path: str) -> bool:
    """Whether a file is, by its name, one that package managers read."""
    return bool(NAMES.search(path))
