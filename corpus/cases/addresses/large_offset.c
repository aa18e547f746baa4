/* An offset of more than 64 KB and of more than a page group into a zero-filled array: addends that need all their bits. */
// call: where(0i32) = &area+0x12345
// call: where(1i32) = &area+0x3fffe
// call: touch() = 8i32
// memory: area+0x12345 = 03
// memory: area+0x3fffe = 05
extern char area[0x40000];
char *where(int i) { return i ? &area[0x3fffe] : &area[0x12345]; }
int touch(void) { area[0x12345] = 3; area[0x3fffe] = 5; return area[0x12345] + area[0x3fffe]; }

//--- area.c
char area[0x40000];
