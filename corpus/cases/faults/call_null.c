/* A call through a null pointer, the address of a weak function that does not exist. */
// call: bad() = void
// fault: fetch address 0x0
__attribute__((weak)) int missing(void);
int (*volatile pointer)(void) = missing;
int bad(void) { return pointer() + 1; }
