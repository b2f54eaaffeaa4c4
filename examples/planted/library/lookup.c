/* SPDX-License-Identifier: Apache-2.0 */
/* A table of words: planted flaw 6, what is not found is read all the same (CWE-476). */
#include "pail.h"
#include <string.h>

struct word {
    const char *key;
    int value;
};

static const struct word words[] = {{"one", 1}, {"two", 2}, {"three", 3}};

static const struct word *find(const char *key)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].key, key) == 0)
            return &words[i];
    return NULL;
}

int pail_lookup(const char *key)
{
    const struct word *found = find(key);
    return found->value;
}
