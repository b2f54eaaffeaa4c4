/* SPDX-License-Identifier: Apache-2.0 */
/* A note is saved under its name, in the folder where the program stands: planted flaw 7, a name that climbs out (CWE-22). */
#include "pail.h"
#include <stdio.h>
#include <string.h>

int pail_save(const char *name)
{
    char path[512];
    if (*name == 0 || strlen(name) > 200)
        return -1;
    snprintf(path, sizeof path, "./%s", name);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return -1;
    fputs("saved\n", file);
    return fclose(file);
}
