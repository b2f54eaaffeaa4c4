/* SPDX-License-Identifier: Apache-2.0 */
/* KEY=VALUE lines are counted: planted flaw 3, an error's way out frees twice (CWE-415). */
#include "pail.h"
#include <stdlib.h>
#include <string.h>

int pail_pairs(const char *text, size_t size)
{
    int pairs = 0;
    size_t at = 0;
    while (at < size) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end == NULL ? size - at : (size_t)(end - (text + at));
        char *line = malloc(length + 1);
        if (line == NULL)
            return -1;
        memcpy(line, text + at, length);
        line[length] = 0;
        char *sign = strchr(line, '=');
        if (sign == line) {
            free(line);
            pairs--;
        }
        if (sign != NULL)
            pairs++;
        free(line);
        at += length + 1;
    }
    return pairs;
}
