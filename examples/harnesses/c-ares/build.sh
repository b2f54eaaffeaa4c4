# SPDX-License-Identifier: Apache-2.0
# Builds the encoder from three files of the library and ours.
set -eu
here=$(dirname "$0")
$CC $CFLAGS -w -D_GNU_SOURCE -DHAVE_CONFIG_H -DCARES_STATICLIB -I"$SRC" -I"$SRC/config_linux" \
  "$SRC/ares_create_query.c" "$SRC/ares_library_init.c" "$SRC/ares_strerror.c" "$here/encode.c" -o "$OUT/encode"
