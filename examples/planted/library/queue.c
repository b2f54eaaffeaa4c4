/* SPDX-License-Identifier: Apache-2.0 */
/* A queue of letters, `-` takes the first out: planted flaw 2, a use after free (CWE-416). */
#include "pail.h"
#include <stdlib.h>

struct item {
    char letter;
    struct item *next;
};

int pail_queue(const char *text, size_t size)
{
    struct item *first = NULL, *last = NULL;
    int sum = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '-') {
            if (first != NULL) {
                struct item *gone = first;
                first = gone->next;
                free(gone);
            }
            continue;
        }
        struct item *added = malloc(sizeof *added);
        if (added == NULL)
            break;
        added->letter = text[i];
        added->next = NULL;
        if (last != NULL)
            last->next = added;
        if (first == NULL)
            first = added;
        last = added;
    }
    while (first != NULL) {
        struct item *gone = first;
        sum += gone->letter;
        first = gone->next;
        free(gone);
    }
    return sum;
}
