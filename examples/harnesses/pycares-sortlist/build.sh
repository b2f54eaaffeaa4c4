# SPDX-License-Identifier: Apache-2.0
# Builds the library and a program that sets a sort list.
set -eu
here=$(dirname "$0")
lib="$SRC/c-ares/src/lib"
$CC $CFLAGS -w -D_GNU_SOURCE -DHAVE_CONFIG_H -DCARES_STATICLIB -I"$SRC/c-ares/include" -I"$SRC/build-config/include" -I"$lib" \
  -I"$SRC/build-config/config_linux" $(ls "$lib"/*.c | grep -v -e windows -e ares_android) "$here/sortlist.c" -o "$OUT/sortlist"
