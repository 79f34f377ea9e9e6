#!/usr/bin/env bash
# Runs `dockeropt fix --write` in every git clone of a folder, each on a branch of its own, and tells what came of it.
set -uo pipefail

usage() {
    cat <<'TEXT'
Usage: migrate.sh [--branch NAME] [--dry-run] FOLDER

For each git clone in FOLDER: makes a branch, runs `dockeropt fix --write`, and commits with the reasons as the message.
Nothing is pushed. A clone with uncommitted or untracked files is skipped; one in which nothing changes stays as it was.

  --branch NAME   the branch that is made (default: dockeropt). A clone that has it already is skipped
  --dry-run       only tell what would change

DOCKEROPT names the program, if it is not `dockeropt` in PATH.
Exit code: 0 all was done (or skipped), 1 something failed, 2 bad usage.
TEXT
}

fail_usage() {
    printf 'error: %s\n\n' "$1" >&2
    usage >&2
    exit 2
}

branch=dockeropt
dry_run=no
folder=
while [ $# -gt 0 ]; do
    case $1 in
        --branch) [ $# -gt 1 ] || fail_usage "--branch needs a name"; branch=$2; shift ;;
        --branch=*) branch=${1#*=} ;;
        --dry-run) dry_run=yes ;;
        -h | --help) usage; exit 0 ;;
        -*) fail_usage "there is no option $1" ;;
        *) [ -z "$folder" ] || fail_usage "name one folder"; folder=$1 ;;
    esac
    shift
done
[ -n "$folder" ] || fail_usage "name the folder that holds the clones"
[ -d "$folder" ] || fail_usage "$folder is not a folder"
git check-ref-format --branch "$branch" >/dev/null 2>&1 || fail_usage "$branch is not a name for a branch"

dockeropt=${DOCKEROPT:-dockeropt}
case $dockeropt in
    /*) ;;
    */*) dockeropt=$PWD/$dockeropt ;; # the script goes into the clones
esac
command -v "$dockeropt" >/dev/null || fail_usage "$dockeropt can't be run: install dockeropt, or set DOCKEROPT"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rows=$work/rows       # repository, result, files, fixes, left alone
reasons=$work/reasons # repository and a line of words for everything that was not done
printf 'REPOSITORY\tRESULT\tFILES\tFIXES\tLEFT ALONE\n' >"$rows"
: >"$reasons"
failures=0

row() { # repository result [files fixes left]
    printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "${3:--}" "${4:--}" "${5:--}" >>"$rows"
}

reason() { # repository words
    printf '%s\t%s\n' "$1" "$2" >>"$reasons"
}

# Why a clone is not to be touched; nothing if it may be.
obstacle() {
    if ! git rev-parse -q --verify HEAD >/dev/null; then
        echo "it has no commit"
    elif ! status=$(git status --porcelain --ignore-submodules=none 2>&1); then
        echo "git status failed: ${status%%$'\n'*}"
    elif [ -n "$status" ]; then
        echo "it has uncommitted or untracked files"
    elif git rev-parse -q --verify "refs/heads/$branch" >/dev/null; then
        echo "it has a branch $branch already"
    fi
}

# What dockeropt said on standard error ($1), with the file's name in front of each line about it.
with_file() { # verb said
    awk -v verb="$1" '/^[^ ]/ { file = $0 } $1 == verb && /^  / { sub(/^ +[a-z]+ +/, ""); gsub(/  +/, " "); print file ":" $0 }' "$2"
}

commit_message() { # said
    printf 'Rewrite Dockerfiles for faster rebuilds\n\nMade by `dockeropt fix --write`.\n\n'
    grep -v -e '^error: ' -e '^[0-9]* of [0-9]* file' "$1"
}

commit() { # repository said
    if git switch -q -c "$branch" 2>"$work/git" && commit_message "$2" | git commit -q -a -F - >"$work/git" 2>&1; then
        return 0
    fi
    reason "$1" "git: $(head -n 1 "$work/git")"
    return 1
}

# Puts back what was there before; nothing is lost, since the clone was clean.
put_back() { # head
    git reset -q --hard && git switch -q "${1#refs/heads/}" 2>/dev/null || git switch -q --detach "$1"
    git branch -q -D "$branch" 2>/dev/null
}

# One clone, from inside of it.
migrate() { # repository
    local name=$1 said=$work/said head result files fixes left code
    local why
    why=$(obstacle)
    if [ -n "$why" ]; then
        row "$name" skipped
        reason "$name" "$why"
        return
    fi
    head=$(git symbolic-ref -q HEAD || git rev-parse HEAD)
    if [ "$dry_run" = yes ]; then
        "$dockeropt" fix --check --color never >"$work/would" 2>"$said"
        code=$?
        files=$(grep -c '^would change: ' "$work/would")
    else
        "$dockeropt" fix --write --color never >/dev/null 2>"$said"
        code=$?
        # A submodule is a repository of its own, with a clone of its own to be changed in.
        git submodule --quiet foreach --recursive 'git reset -q --hard' >/dev/null 2>&1
        files=$(git diff --name-only --ignore-submodules=all | wc -l)
    fi
    fixes=$(with_file fix "$said" | wc -l)
    left=$(with_file left "$said" | wc -l)
    result=unchanged
    if [ "$files" -gt 0 ]; then
        result=changed
        [ "$dry_run" = no ] || result="would change"
        if [ "$dry_run" = no ] && ! commit "$name" "$said"; then
            put_back "$head"
            result=unchanged files=0 fixes=0 code=2
        fi
    fi
    if [ "$code" -gt 1 ]; then
        failures=$((failures + 1))
        result="$result, failed"
        [ "$result" != "unchanged, failed" ] || result=failed
    fi
    row "$name" "$result" "$files" "$fixes" "$left"
    { sed -n 's/^error: //p' "$said"; with_file fault "$said"; with_file left "$said"; } | while IFS= read -r line; do
        reason "$name" "$line"
    done
}

for clone in "$folder"/*/; do
    [ -e "$clone.git" ] || continue
    name=$(basename "$clone")
    printf '%s\n' "$name" >&2
    # `migrate` counts failures, so it must not run in a subshell.
    pushd "$clone" >/dev/null || continue
    migrate "$name"
    popd >/dev/null || exit 1
done

table() { # file with tabs
    awk -F '\t' '
        { for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) } columns = NF }
        END { for (n = 1; n <= NR; n++) { line = ""
            for (i = 1; i <= columns; i++) line = line sprintf(i < columns ? "%-" width[i] + 2 "s" : "%s", cell[n, i])
            print line } }' "$1"
}

echo
table "$rows"
if [ -s "$reasons" ]; then
    printf '\nNot done, and why:\n'
    table "$reasons"
fi
[ "$failures" -eq 0 ]
