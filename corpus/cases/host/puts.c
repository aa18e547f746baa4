/* Functions of the host: two lines of text, from a literal and from a variable of another object. */
// call: greet() = 5i32
// prints: "hello\nfrom afar\n"
int puts(const char *);
extern const char text[];
int greet(void) { puts("hello"); puts(text); return 5; }

//--- text.c
const char text[] = "from afar";
