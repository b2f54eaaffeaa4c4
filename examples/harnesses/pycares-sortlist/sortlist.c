/* SPDX-License-Identifier: Apache-2.0 */
/* Sets the sort list on stdin and prints the status. */
#include <stdio.h>
#include <ares.h>

int main(void)
{
  char text[4096];
  size_t size = fread(text, 1, sizeof text - 1, stdin);
  ares_channel channel;

  text[size] = '\0';
  ares_library_init(ARES_LIB_INIT_ALL);
  if (ares_init(&channel) != ARES_SUCCESS)
    return 1;
  printf("%d\n", ares_set_sortlist(channel, text));
  ares_destroy(channel);
  return 0;
}
