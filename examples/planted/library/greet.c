/* SPDX-License-Identifier: Apache-2.0 */
/* A greeting; the note beside it is nobody's business: planted flaw 5, a text taken for a format (CWE-134). */
#include "pail.h"
#include <stdio.h>
#include <string.h>

int pail_greet(const char *text, const char *note, char *out, size_t room)
{
    if (strlen(note) > 100)
        return -1;
    snprintf(out, room, text, note, note, note, note);
    return (int)strlen(out);
}
