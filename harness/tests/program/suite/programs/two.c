int half(int);
int main(void) { return half(0); }
