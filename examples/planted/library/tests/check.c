/* SPDX-License-Identifier: Apache-2.0 */
/* Pail's own tests: `check NAME` leaves with 0 when what it names works. */
#include "../pail.h"
#include <stdio.h>
#include <string.h>

static int label(void)
{
    char out[64];
    return pail_label("tea", 3, out, sizeof out) == 5 && strcmp(out, "[tea]") == 0 && pail_label("0123456789abcdef", 16, out, sizeof out) == 18;
}

static int queue(void)
{
    return pail_queue("ab", 2) == 'a' + 'b' && pail_queue("abc-", 4) == 'b' + 'c' && pail_queue("", 0) == 0;
}

static int pairs(void)
{
    return pail_pairs("a=1\nb=2", 7) == 2 && pail_pairs("a\nb=2\n", 6) == 1 && pail_pairs("a=b=c", 5) == 1;
}

static int canvas(void)
{
    return pail_canvas("3x4", 3) == 12 && pail_canvas("250x250", 7) == 62500 && pail_canvas("0x4", 3) == -1 && pail_canvas("5000x1", 6) == -1;
}

static int greet(void)
{
    char out[64];
    return pail_greet("good day", "note", out, sizeof out) == 8 && strcmp(out, "good day") == 0 && pail_greet("", "", out, sizeof out) == 0;
}

static int lookup(void)
{
    return pail_lookup("one") == 1 && pail_lookup("three") == 3;
}

static int save(void)
{
    return pail_save("note.txt") == 0 && pail_save("a..b") == 0 && pail_save("") == -1;
}

static int measure(void)
{
    return pail_measure("four") == 4 && pail_measure("two words") == 9 && pail_measure("it's") == 4;
}

static int depth(void)
{
    return pail_depth("[[]][]", 6) == 2 && pail_depth("x", 1) == 0 && pail_depth("[[[[[[[[[[]]]]]]]]]]", 20) == 10;
}

static int last(void)
{
    return pail_last("tea", 3) == 'a' && pail_last("", 0) == 0 && pail_last("\\t", 2) == 't';
}

static const struct {
    const char *name;
    int (*works)(void);
} checks[] = {
    {"label", label}, {"queue", queue}, {"pairs", pairs}, {"canvas", canvas}, {"greet", greet},
    {"lookup", lookup}, {"save", save}, {"measure", measure}, {"depth", depth}, {"last", last},
};

int main(int count, char **words)
{
    for (size_t i = 0; count == 2 && i < sizeof checks / sizeof *checks; i++)
        if (strcmp(checks[i].name, words[1]) == 0)
            return checks[i].works() ? 0 : 1;
    return 2;
}
