#!/usr/bin/env bash
# The real pre-commit with the hook of this repository, installed from a clone of it into a throwaway repository:
# a commit with an improvable Dockerfile is stopped with the file fixed, and the second commit passes.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
command -v pre-commit >/dev/null || { echo "error: pre-commit is not in PATH: pip install pre-commit" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$work/gitconfig PRE_COMMIT_HOME=$work/pre-commit
# The hook builds dockeropt; what is built already need not be built again.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$here/target}
git config --global user.name tester
git config --global user.email tester@example.org
git config --global init.defaultBranch main
# A checkout by another user (as in containers) may be cloned.
git config --global --add safe.directory '*'

passed=0
pass() { passed=$((passed + 1)); printf 'ok: %s\n' "$1"; }
fail() {
    printf 'FAILED: %s\n' "$1" >&2
    [ ! -f "$work/said" ] || sed 's/^/  | /' "$work/said" >&2
    exit 1
}

# A clone of this repository, with what is not committed yet.
git clone -q "$here" "$work/dockeropt"
(cd "$here" && git ls-files -z --cached --others --exclude-standard) | while IFS= read -r -d '' name; do
    if [ -e "$here/$name" ]; then
        mkdir -p "$work/dockeropt/$(dirname "$name")"
        cp -p "$here/$name" "$work/dockeropt/$name"
    fi
done
git -C "$work/dockeropt" add -A
git -C "$work/dockeropt" commit -q --allow-empty -m "as it is"
rev=$(git -C "$work/dockeropt" rev-parse HEAD)

naive='FROM python:3.12-slim\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\n'
git init -q "$work/app"
cd "$work/app"
cat >.pre-commit-config.yaml <<YAML
repos:
  - repo: $work/dockeropt
    rev: $rev
    hooks:
      - id: dockeropt-fix
YAML
mkdir -p "a folder"
printf "$naive" | tee Dockerfile Dockerfile.md Dockerfile.j2 "a folder/web.Containerfile" >/dev/null
pre-commit install >/dev/null
git add -A

if git commit -q -m first >"$work/said" 2>&1; then fail "the first commit passed"; fi
grep -q 'dockeropt fix\.*Failed' "$work/said" || fail "the hook did not run"
grep -q 'cache-mounts' "$work/said" || fail "it is not said what was changed"
pass "a commit with an improvable Dockerfile is stopped"
for name in Dockerfile "a folder/web.Containerfile"; do
    grep -q -- '--mount=type=cache' "$name" || fail "$name is not fixed"
done
for name in Dockerfile.md Dockerfile.j2; do
    cmp -s <(printf "$naive") "$name" || fail "$name was changed, and is no Dockerfile"
done
pass "the Dockerfiles are fixed, and nothing else"

git add -A
git commit -q -m first >"$work/said" 2>&1 || fail "the second commit was stopped"
grep -q 'dockeropt fix\.*Passed' "$work/said" || fail "the hook did not pass"
[ -z "$(git status --porcelain)" ] || fail "something is left to commit"
pass "the second commit passes"

echo text >README && git add README
git commit -q -m second >"$work/said" 2>&1 || fail "a commit without a Dockerfile was stopped"
pass "a commit without a Dockerfile passes"

# The entry that `dockeropt init` writes, beside one that is there: it runs the program that is installed.
bin=${DOCKEROPT:-$CARGO_TARGET_DIR/release/dockeropt}
[ -x "$bin" ] || (cd "$here" && cargo build -q --release)
PATH=$(dirname "$bin"):$PATH
git init -q "$work/own"
cd "$work/own"
printf "$naive" >Dockerfile
printf '# ours\nrepos:\n  - repo: local\n    hooks:\n      - {id: a, name: a, entry: "true", language: system}\n' >.pre-commit-config.yaml
dockeropt init --quiet --write --without dockerignore || fail "init can't write"
[ "$(head -1 .pre-commit-config.yaml)" = "# ours" ] || fail "init lost a comment"
pre-commit install >/dev/null
git add -A
if git commit -q -m first >"$work/said" 2>&1; then fail "the first commit passed"; fi
grep -q 'dockeropt fix\.*Failed' "$work/said" || fail "the hook of init did not run"
git add -A
git commit -q -m first >"$work/said" 2>&1 || fail "the second commit was stopped"
pass "the entry of init stops a commit with an improvable Dockerfile, and lets the fixed one pass"

echo "pre-commit: $passed passed, 0 failed"
