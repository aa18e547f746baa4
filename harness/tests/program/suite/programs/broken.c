int main(void) { return surely_not }
