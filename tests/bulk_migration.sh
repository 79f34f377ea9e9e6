#!/usr/bin/env bash
# examples/bulk-migration over ten throwaway clones: the table that it ends with, and the state of each clone afterwards.
# DOCKEROPT names the program; target/release/dockeropt if it is not set.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
export DOCKEROPT=${DOCKEROPT:-$here/target/release/dockeropt}
migrate=$here/examples/bulk-migration/migrate.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
clones=$work/clones
mkdir "$clones"
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$work/gitconfig
git config --global user.name tester
git config --global user.email tester@example.org
git config --global init.defaultBranch main

fail() {
    printf 'FAILED: %s\n' "$1" >&2
    [ ! -f "$work/out" ] || sed 's/^/  | /' "$work/out" >&2
    exit 1
}
passed=0
pass() { passed=$((passed + 1)); printf 'ok: %s\n' "$1"; }

naive='FROM python:3.12-slim\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\n'

clone() { # name, then the content of its Dockerfile in printf's language
    git init -q "$clones/$1"
    echo "$1" >"$clones/$1/README"
    [ $# -lt 2 ] || printf "$2" >"$clones/$1/Dockerfile"
    git -C "$clones/$1" add -A
    git -C "$clones/$1" commit -q -m first
}

clone better "$naive"
clone clean 'FROM scratch\nCOPY app /app\n'
clone dirty "$naive"
echo more >>"$clones/dirty/README"
clone untracked "$naive"
echo new >"$clones/untracked/new"
clone without
clone latin 'FROM scratch\nLABEL author="Ren\351"\n'
mkdir "$clones/latin/app" && printf "$naive" >"$clones/latin/app/Dockerfile"
git -C "$clones/latin" add -A && git -C "$clones/latin" commit -q -m second
clone 'a name' "$naive"
clone taken "$naive"
git -C "$clones/taken" branch dockeropt
clone detached "$naive"
git -C "$clones/detached" switch -q --detach
clone refusing 'FROM python:3.12-slim\nRUN $INSTALL && pip install --cache-dir "$CACHE" x\n'
clone hook "$naive"
printf '#!/bin/sh\necho "not on my watch" >&2\nexit 1\n' >"$clones/hook/.git/hooks/pre-commit"
chmod +x "$clones/hook/.git/hooks/pre-commit"
git init -q "$clones/empty"
mkdir "$clones/no-clone" && printf "$naive" >"$clones/no-clone/Dockerfile"

state() { # everything that could have changed in a clone
    (cd "$clones/$1" && git rev-parse -q --verify HEAD || true; git -C "$clones/$1" branch -a; git -C "$clones/$1" status --porcelain)
}
head_of() { git -C "$clones/$1" rev-parse --abbrev-ref HEAD; }
row() { grep -E "^$1 +" "$work/out" | head -n 1; }

for name in better clean dirty untracked without latin 'a name' taken detached refusing hook empty; do
    state "$name" >"$work/before-$name"
done

# --dry-run changes nothing.
"$migrate" --dry-run "$clones" >"$work/out" 2>"$work/err" || true
for name in better clean dirty untracked without latin 'a name' taken detached refusing hook empty; do
    diff "$work/before-$name" <(state "$name") || fail "--dry-run changed $name"
done
row better | grep -q 'would change  *1  *2 ' || fail "the table of --dry-run does not say that better would change"
pass "--dry-run"

code=0
"$migrate" "$clones" >"$work/out" 2>"$work/err" || code=$?
[ "$code" = 1 ] || fail "exit code $code, not 1: two clones failed"

for name in better 'a name' detached; do
    [ "$(head_of "$name")" = dockeropt ] || fail "$name is not on the branch"
    row "$name" | grep -q 'changed  *1  *2 ' || fail "the table does not say that $name changed"
    grep -q 'type=cache' "$clones/$name/Dockerfile" || fail "$name has no cache mount"
    [ -z "$(git -C "$clones/$name" status --porcelain)" ] || fail "$name is not clean"
    [ "$(git -C "$clones/$name" rev-list --count HEAD)" = 2 ] || fail "$name has not one commit more"
done
message=$(git -C "$clones/better" log -1 --format=%B)
grep -q 'cache-mounts' <<<"$message" && grep -q '^Dockerfile$' <<<"$message" || fail "the message holds no reasons: $message"
! grep -q '1 of 1 file' <<<"$message" || fail "the message holds the last line: $message"
pass "changed clones are on a branch with one commit that says why"

for name in clean without refusing; do
    diff "$work/before-$name" <(state "$name") || fail "$name is not as it was"
    row "$name" | grep -q 'unchanged' || fail "the table does not say that $name is unchanged"
done
pass "clones without a change are as they were, with no new branch"

for name in dirty untracked taken empty; do
    diff "$work/before-$name" <(state "$name") || fail "$name is not as it was"
    row "$name" | grep -q 'skipped' || fail "the table does not say that $name was skipped"
done
grep -q '^dirty  *it has uncommitted or untracked files' "$work/out" || fail "it is not said why dirty was skipped"
grep -q '^taken  *it has a branch dockeropt already' "$work/out" || fail "it is not said why taken was skipped"
pass "dirty clones and the like are skipped, and it is said why"

row latin | grep -q 'changed, failed' || fail "the table does not say that latin changed in part"
grep -q '^latin  *Dockerfile:2:.* is not UTF-8' "$work/out" || fail "it is not said that latin's Dockerfile is not UTF-8"
git -C "$clones/latin" show --stat --format= HEAD | grep -q 'app/Dockerfile' || fail "latin's other Dockerfile is not done"
pass "a file that is not UTF-8 fails alone"

diff "$work/before-hook" <(state hook) || fail "hook is not as it was"
grep -q '^hook  *git: not on my watch' "$work/out" || fail "it is not said that the hook of hook refused"
pass "a commit that git refuses leaves the clone as it was"

grep -q '^refusing  *Dockerfile:2:.*cache-mounts.*\[' "$work/out" || fail "it is not said why refusing was left alone"
! grep -q 'no-clone' "$work/out" || fail "a folder that is no clone is in the table"
pass "refusals are in the table with their reasons"

code=0
"$migrate" --branch >/dev/null 2>&1 || code=$?
[ "$code" = 2 ] || fail "bad usage ends with $code, not 2"
"$migrate" --branch 'again' "$clones" >"$work/out" 2>/dev/null || true
! git -C "$clones/better" rev-parse -q --verify again >/dev/null || fail "a second run made a branch in better"
pass "a second run finds nothing to do"

sed 's/^/  | /' "$work/out"
echo "migration: $passed passed, 0 failed"
