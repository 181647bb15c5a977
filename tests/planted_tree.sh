# shellcheck shell=bash
# Sourced by what plants mistakes in the product and builds it: a copy of the tree in $work/tree and
# its build in $work/build, so that the product stays clean.

work=build/bugs

# plant TREE PATCH [flags of patch]
plant() {
  patch --directory="$1" --strip=1 --fuzz=0 --force --silent --no-backup-if-mismatch "${@:3}" <"$2"
}

# copy_tree PATCH...: copies the tree as it is, and configures its build.
copy_tree() {
  rm -rf "$work/tree"
  mkdir -p "$work/tree"
  git ls-files -z --cached --others --exclude-standard |
    xargs -0 cp --archive --parents --target-directory="$work/tree"
  # The copy's files keep their times, so that only what a patch touches is built again: the files of
  # all patches, since the last run may have left a mistake in any of their objects.
  sed -n 's|^+++ b/||p' "$@" | sort -u | (cd "$work/tree" && xargs touch)
  cmake -S "$work/tree" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >"$work/cmake.log"
}

# build_tree TARGET LOG
build_tree() {
  cmake --build "$work/build" --target "$1" --parallel "$(nproc)" >"$2" ||
    { tail -n 30 "$2" >&2 && return 1; }
}

# build_with PATCH TARGET LOG: builds with the mistake, and takes it out of the sources again.
build_with() {
  local status=0
  plant "$work/tree" "$1"
  build_tree "$2" "$3" || status=$?
  plant "$work/tree" "$1" --reverse
  return $status
}
