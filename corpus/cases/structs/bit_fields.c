/* Bit-fields and a union over them in a variable of another object. */
// call(little): set() = 0x2a5u32
// call(big): set() = 0u32
// call: read() = 173i32
struct bits { unsigned a : 3, b : 5, c : 8; };
union u { struct bits bits; unsigned word; };
extern union u shared;
unsigned set(void) { shared.bits.a = 5; shared.bits.b = 20; shared.bits.c = 2; return shared.word & 0xffff; }
int read(void);

//--- shared.c
struct bits { unsigned a : 3, b : 5, c : 8; };
union u { struct bits bits; unsigned word; };
union u shared;
int read(void) { return (int)(shared.bits.a * 1 + shared.bits.b * 8 + shared.bits.c * 4); }
