/* SPDX-License-Identifier: Apache-2.0 */
/* Gives standard input to the function of Pail that the first argument names, and prints what it answers. */
#include "pail.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *taken(size_t *size)
{
    size_t room = 1 << 22;
    char *text = malloc(room);
    if (text == NULL)
        exit(2);
    *size = fread(text, 1, room - 1, stdin);
    char *exact = realloc(text, *size + 1);
    exact[*size] = 0;
    return exact;
}

static void read_note(char *note, size_t room)
{
    FILE *file = fopen("/box/secret/canary.txt", "r");
    size_t got = file == NULL ? 0 : fread(note, 1, room - 1, file);
    note[got] = 0;
    if (file != NULL)
        fclose(file);
}

int main(int count, char **words)
{
    size_t size;
    char out[4096] = "", note[64];
    const char *verb = count > 1 ? words[1] : "";
    char *text = taken(&size);
    int answer;
    if (strcmp(verb, "label") == 0)
        answer = pail_label(text, size, out, sizeof out);
    else if (strcmp(verb, "queue") == 0)
        answer = pail_queue(text, size);
    else if (strcmp(verb, "pairs") == 0)
        answer = pail_pairs(text, size);
    else if (strcmp(verb, "canvas") == 0)
        answer = pail_canvas(text, size);
    else if (strcmp(verb, "greet") == 0) {
        read_note(note, sizeof note);
        answer = pail_greet(text, note, out, sizeof out);
    } else if (strcmp(verb, "lookup") == 0)
        answer = pail_lookup(text);
    else if (strcmp(verb, "save") == 0)
        answer = pail_save(text);
    else if (strcmp(verb, "measure") == 0)
        answer = pail_measure(text);
    else if (strcmp(verb, "depth") == 0)
        answer = pail_depth(text, size);
    else if (strcmp(verb, "last") == 0)
        answer = pail_last(text, size);
    else
        return 2;
    printf("%s %d %s\n", verb, answer, out);
    free(text);
    return 0;
}
