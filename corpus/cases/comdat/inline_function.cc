/* An inline function used by two objects is emitted by both and kept once: one address, one static variable. */
// flags: -fno-exceptions -fno-rtti -fno-threadsafe-statics
// call: first() = 1i32
// call: second() = 2i32
// call: first() = 3i32
// call: same() = 1i32
inline int counter() { static int n; return ++n; }
extern "C" void *address_there();
extern "C" int first() { return counter(); }
extern "C" int same() { return (void *)counter == address_there(); }

//--- second.cc
inline int counter() { static int n; return ++n; }
extern "C" void *address_there() { return (void *)counter; }
extern "C" int second() { return counter(); }
