/* Tries a relocator on relocation vectors: TARGET.txt of `harness vectors`. Copy it and write one function, relocate().
 *
 *   cc -o check check.c relocator.c && ./check aarch64.txt
 *
 * Ends with 0 if all vectors that were tried came out right, 1 if one did not, 2 if nothing was tried.
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a relocator is told, in the letters of the ABI. S is without the bit that says Thumb: that is T. G is the address of the
 * entry in the GOT. What the formula does not mention is 0. */
struct vector {
    unsigned number;
    int rela; /* whether A is in the record; if not, it is in the place, too */
    uint64_t P, S, T;
    int64_t A;
    uint64_t GOT, G, B, TLS, tp, FUNCDESC;
    size_t size;
};

enum outcome { WRITTEN, OUT_OF_RANGE, MISALIGNED, STATE, NOT_TRIED };

/* Yours: relocates `place`, which has v->size bytes as they are in memory, or says why not. NOT_TRIED: it does not know the
 * relocation. */
enum outcome relocate(const struct vector *v, unsigned char *place);

static const char *const errors[] = { "", "!out-of-range", "!misaligned", "!state" };

static size_t bytes(const char *text, unsigned char *out) {
    size_t size = 0;
    unsigned byte;
    while (size < 8 && sscanf(text + 2 * size, "%2x", &byte) == 1) out[size++] = (unsigned char)byte;
    return size;
}

static int64_t number(const char *text) {
    return *text == '-' ? -(int64_t)strtoull(text + 1, NULL, 16) : (int64_t)strtoull(text, NULL, 16);
}

/* Whether these bytes are among those that are right, of which a comma parts two. */
static int is_right(const char *after, const char *got) {
    size_t length = strlen(got);
    for (const char *at = after; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (!strncmp(at, got, length) && (at[length] == ',' || at[length] == 0)) return 1;
    return 0;
}

int main(int count, char **arguments) {
    enum { ID, NUMBER, KIND, RECORD, P, S, T, A, GOT, G, B, TLS, TP, FUNCDESC, BEFORE, AFTER, COLUMNS };
    unsigned passed = 0, failed = 0, skipped = 0;
    char line[1024];
    FILE *file = count == 2 ? fopen(arguments[1], "r") : NULL;
    if (!file) {
        fprintf(stderr, "usage: %s TARGET.txt\n", arguments[0]);
        return 2;
    }
    while (fgets(line, sizeof line, file)) {
        char *word[COLUMNS], got[32] = "";
        int columns = 0;
        if (*line == '#') continue;
        for (char *at = strtok(line, " \n"); at && columns < COLUMNS; at = strtok(NULL, " \n")) word[columns++] = at;
        if (columns != COLUMNS) {
            fprintf(stderr, "not a vector: %s\n", columns ? word[0] : "an empty line");
            return 2;
        }
        struct vector v = { (unsigned)atoi(word[NUMBER]), !strcmp(word[RECORD], "rela"), (uint64_t)number(word[P]),
            (uint64_t)number(word[S]), (uint64_t)number(word[T]), number(word[A]), (uint64_t)number(word[GOT]),
            (uint64_t)number(word[G]), (uint64_t)number(word[B]), (uint64_t)number(word[TLS]), (uint64_t)number(word[TP]),
            (uint64_t)number(word[FUNCDESC]), 0 };
        unsigned char place[8] = { 0 };
        v.size = bytes(word[BEFORE], place);
        enum outcome outcome = relocate(&v, place);
        if (outcome == NOT_TRIED) {
            skipped++;
            continue;
        }
        for (size_t i = 0; i < v.size && outcome == WRITTEN; i++) sprintf(got + 2 * i, "%02x", place[i]);
        if (!v.size && outcome == WRITTEN) strcpy(got, "-");
        if (outcome != WRITTEN) strcpy(got, errors[outcome]);
        if (is_right(word[AFTER], got)) {
            passed++;
            continue;
        }
        if (failed++ < 20)
            printf("FAILED %s: P %s S %s A %s, before %s, expected %s, got %s\n", word[ID], word[P], word[S], word[A],
                word[BEFORE], word[AFTER], got);
    }
    fclose(file);
    printf("%u passed, %u failed, %u not tried\n", passed, failed, skipped);
    return failed ? 1 : passed ? 0 : 2;
}
