/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a host name from stdin, asks the library for the DNS question and prints its length. */
#include <stdio.h>
#include <stdlib.h>
#include <ares.h>

int main(void)
{
  char name[4096];
  size_t size = fread(name, 1, sizeof name - 1, stdin);
  unsigned char *question = NULL;
  int length = 0;
  int status;

  name[size] = '\0';
  status = ares_create_query(name, 1 /* IN */, 1 /* A */, 0, 1, &question, &length, 0);
  if (status == ARES_SUCCESS)
    printf("encoded %d\n", length);
  else
    printf("refused %d\n", status);
  free(question);
  return 0;
}
