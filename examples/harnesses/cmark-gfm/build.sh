# SPDX-License-Identifier: Apache-2.0
# Builds the renderer from the library, its extensions and ours.
set -eu
here=$(dirname "$0")
cmark=$SRC/third_party/cmark
$CC $CFLAGS -w -DCMARK_GFM_STATIC_DEFINE -DCMARK_GFM_EXTENSIONS_STATIC_DEFINE \
  -I"$SRC/generated/unix" -I"$cmark/src" -I"$cmark/extensions" \
  $(ls "$cmark"/src/*.c | grep -v '/main\.c$') "$cmark"/extensions/*.c "$here/render.c" -o "$OUT/render"
