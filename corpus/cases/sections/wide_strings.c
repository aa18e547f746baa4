/* Strings of 16- and 32-bit characters: mergeable sections whose elements are 2 and 4 bytes. */
// call: sixteen(2i32) = 8364i32
// call: thirtytwo(2i32) = 128512i32
// call: in_other(0i32) = 97i32
#include <stdint.h>
static const uint16_t *const short_text = (const uint16_t *)u"ab\u20ac";
static const uint32_t *const long_text = (const uint32_t *)U"ab\U0001f600";
int sixteen(int i) { return short_text[i]; }
int thirtytwo(int i) { return (int)long_text[i]; }

//--- other.c
#include <stdint.h>
static const uint16_t *volatile text = (const uint16_t *)u"ab\u20ac";
int in_other(int i) { return text[i]; }
