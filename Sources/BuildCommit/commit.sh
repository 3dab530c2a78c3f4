#!/bin/sh
# Writes the commit of the sources as a Swift function, unless the file says so already.
#
#   commit.sh ROOT FILE
#
# The commit is git's, or that of commit.txt, into which `git archive` writes it. A digest of the
# sources follows where they were changed, and stands alone where there is no commit.
root=$1 output=$2
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
read_git() { git --no-optional-locks -c core.fsmonitor=false -c safe.directory="$root" -C "$root" "$@" 2>/dev/null; }
digest() {
  (cd "$root" && find Sources Package.swift -type f -print0 | LC_ALL=C sort -z | xargs -0 cat) \
    | sha256sum | cut -c 1-8
}

commit= changes=
if [ -e "$root/.git" ]; then
  commit=$(read_git rev-parse --verify HEAD)
  changes=$(read_git status --porcelain -- Sources Package.swift)
else
  read -r commit <"$root/Sources/BuildCommit/commit.txt"
fi
commit=$(printf '%s' "$commit" | cut -c 1-12)
case $commit in
  '' | *[!0-9a-f]*) commit=sources-$(digest) ;;
  *) [ -z "$changes" ] || commit=$commit.changed-$(digest) ;;
esac

# A call that stays one keeps the other modules as they are when the commit changes.
line="@inline(never) func commitOfSources() -> String { \"$commit\" }"
[ "$(cat "$output" 2>/dev/null)" = "$line" ] || printf '%s\n' "$line" >"$output"
