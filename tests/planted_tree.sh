# shellcheck shell=bash
# Sourced by scripts that plant mistakes in the product: they change and build a copy of the tree in
# $work/tree and $work/build, so that the product's own tree stays clean.

work=build/bugs

# plant TREE PATCH [flags of patch]
plant() {
  patch --directory="$1" --strip=1 --fuzz=0 --force --silent --no-backup-if-mismatch "${@:3}" <"$2"
}

# copy_tree PATCH...: copies the working tree and configures its build.
copy_tree() {
  rm -rf "$work/tree"
  mkdir -p "$work/tree"
  git ls-files -z --cached --others --exclude-standard |
    xargs -0 cp --archive --parents --target-directory="$work/tree"
  # The copies keep their times, so that only changed files are rebuilt. The files of all patches are touched,
  # because the objects of an earlier run may contain a mistake.
  sed -n 's|^+++ b/||p' "$@" | sort -u | (cd "$work/tree" && xargs touch)
  cmake -S "$work/tree" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >"$work/cmake.log"
}

# build_tree TARGET LOG
build_tree() {
  cmake --build "$work/build" --target "$1" --parallel "$(nproc)" >"$2" ||
    { tail -n 30 "$2" >&2 && return 1; }
}

# build_with PATCH TARGET LOG: builds with the mistake, then removes it from the sources.
build_with() {
  local status=0
  plant "$work/tree" "$1"
  build_tree "$2" "$3" || status=$?
  plant "$work/tree" "$1" --reverse
  return $status
}
