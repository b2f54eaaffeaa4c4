# SPDX-License-Identifier: Apache-2.0
# Builds the renderer from the library, its extensions and ours.
set -eu
here=$(dirname "$0")
if [ -d "$SRC/third_party/cmark" ]; then
  cmark=$SRC/third_party/cmark
  made="-I$SRC/generated/unix"
else
  # Debian's source package is the library's own tree: its CMake makes the headers that cmarkgfm brings along.
  cmark=$SRC
  cmake -S "$SRC" -B /tmp/made -DCMARK_TESTS=OFF -DCMAKE_C_COMPILER="$CC" >/dev/null
  made="-I/tmp/made/src -I/tmp/made/extensions"
fi
$CC $CFLAGS -w -DCMARK_GFM_STATIC_DEFINE -DCMARK_GFM_EXTENSIONS_STATIC_DEFINE \
  $made -I"$cmark/src" -I"$cmark/extensions" \
  $(ls "$cmark"/src/*.c | grep -v '/main\.c$') "$cmark"/extensions/*.c "$here/render.c" -o "$OUT/render"
