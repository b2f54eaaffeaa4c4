/* SPDX-License-Identifier: Apache-2.0 */
/* A label of a fixed width: planted flaw 1, a write past a heap buffer (CWE-787). */
#include "pail.h"
#include <stdlib.h>
#include <string.h>

#define WIDTH 16

int pail_label(const char *text, size_t size, char *out, size_t room)
{
    char *label = malloc(WIDTH + 2);
    size_t used = 0;
    if (label == NULL)
        return -1;
    label[used++] = '[';
    for (size_t i = 0; i < size; i++)
        label[used++] = text[i];
    label[used++] = ']';
    if (used >= room)
        used = room - 1;
    memcpy(out, label, used);
    out[used] = 0;
    free(label);
    return (int)used;
}
