/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a domain name from stdin and prints its ASCII form. The buffer is as long as the name and its NUL: one byte more hides the flaw,
   one less crashes good names too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "uv.h"
#include "idna.h"

int main(void)
{
  char name[4096];
  char ascii[8192];
  size_t size = fread(name, 1, sizeof name, stdin);
  char *exact = malloc(size + 1);
  long written;

  if (exact == NULL)
    return 1;
  memcpy(exact, name, size);
  exact[size] = '\0';
  written = uv__idna_toascii(exact, exact + size, ascii, ascii + sizeof ascii);
  if (written < 0)
    printf("refused %ld\n", written);
  else
    printf("%s\n", ascii);
  free(exact);
  return 0;
}
