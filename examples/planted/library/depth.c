/* SPDX-License-Identifier: Apache-2.0 */
/* How deep brackets nest: planted flaw 9, a recursion without an end (CWE-674). */
#include "pail.h"

static int descend(const char *text, size_t size, size_t *at)
{
    int deepest = 0;
    while (*at < size) {
        char sign = text[(*at)++];
        if (sign == ']')
            break;
        if (sign == '[') {
            int inner = 1 + descend(text, size, at);
            if (inner > deepest)
                deepest = inner;
        }
    }
    return deepest;
}

int pail_depth(const char *text, size_t size)
{
    size_t at = 0;
    return descend(text, size, &at);
}
