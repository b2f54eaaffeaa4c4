/* SPDX-License-Identifier: Apache-2.0 */
/* How long is a name, in the shell's opinion: planted flaw 8, a name that the shell reads (CWE-78). */
#include "pail.h"
#include <stdio.h>
#include <string.h>

int pail_measure(const char *name)
{
    char command[512];
    int length = -1;
    if (strlen(name) > 300)
        return -1;
    snprintf(command, sizeof command, "printf %%s \"%s\" | wc -c", name);
    FILE *shell = popen(command, "r");
    if (shell == NULL)
        return -1;
    if (fscanf(shell, "%d", &length) != 1)
        length = -1;
    pclose(shell);
    return length;
}
