# Shared by the scripts beside it, which source it: where the tree is, and how a build tree is made.

# The root of the tree, whatever folder the caller stands in.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# say WORDS... - one line to stderr, under the script's name.
say() {
  printf 'ci/%s: %s\n' "${0##*/}" "$*" >&2
}

# usage - prints the comment that the script opens with.
usage() {
  sed -n '2,/^set -/{s/^# \{0,1\}//p}' "$0"
}

# alone COMMAND... - runs it while no other script of this checkout builds: two ninjas in one build tree spoil it.
alone() {
  mkdir -p "$root/build"
  flock "$root/build/.lock" "$@"
}

# configure PRESET [CMAKE OPTIONS...] - makes build/PRESET or brings it up to date.
configure() {
  (cd "$root" && alone cmake --preset "$@" >/dev/null)
}

# compile PRESET [TARGETS...] - builds those targets of a configured build tree, or all of them.
compile() {
  local preset=$1
  shift
  alone cmake --build "$root/build/$preset" ${1:+--target "$@"}
}
