/* One template instantiated with the same type in two objects and with another in one. */
// flags: -fno-exceptions -fno-rtti
// call: here() = 13i32
// call: there() = 53i32
template <typename T> struct box { static int count; static __attribute__((noinline)) int add(T v) { return count += (int)v; } };
template <typename T> int box<T>::count = 3;
extern "C" int here() { return box<int>::add(10); }

//--- there.cc
template <typename T> struct box { static int count; static __attribute__((noinline)) int add(T v) { return count += (int)v; } };
template <typename T> int box<T>::count = 3;
extern "C" int there() { return box<int>::add(20) + box<long long>::add(17); }
