/* SPDX-License-Identifier: Apache-2.0 */
/* The last letter of the last word: planted flaw 10, a read one byte past a heap buffer (CWE-125). */
#include "pail.h"
#include <stdlib.h>
#include <string.h>

int pail_last(const char *text, size_t size)
{
    if (size == 0)
        return 0;
    char *copy = malloc(size);
    if (copy == NULL)
        return -1;
    memcpy(copy, text, size);
    size_t at = size - 1;
    if (copy[at] == '\\')
        at += 1;
    int letter = copy[at];
    free(copy);
    return letter;
}
