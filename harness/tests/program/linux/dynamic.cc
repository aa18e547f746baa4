// A program that is linked dynamically: its libraries are loaded when it starts, others when it asks for them.
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

struct Speaker {
  const char *name;
  explicit Speaker(const char *name) : name(name) { std::printf("%s comes\n", name); }
  ~Speaker() { std::printf("%s goes\n", name); }
};
static Speaker global("global");
thread_local Speaker local("local");
thread_local int own = 42;

struct Base {
  virtual ~Base() = default;
  virtual int value() const = 0;
};
struct Derived : Base {
  int value() const override { return 7; }
};

extern "C" int from_program(int n) {
  if (n == 0) throw std::out_of_range("thrown by the program");
  return n * 2;
}

__attribute__((noinline)) static void fail(const char *how, const char *library) {
  if (!std::strcmp(how, "abort")) std::abort();
  if (!std::strcmp(how, "throw")) throw std::runtime_error("nobody catches it");
  if (!std::strcmp(how, "segv")) {
    auto poke = reinterpret_cast<int (*)(int *)>(dlsym(dlopen(library, RTLD_NOW), "poke"));
    std::printf("%d\n", poke(reinterpret_cast<int *>(8)));
  }
}

int main(int count, char **words) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::printf("%s %d\n", local.name, own);
  try {
    std::vector<int>(3).at(5);
  } catch (const std::out_of_range &error) {
    std::puts("out of range");
  }
  try {
    std::string("abc").substr(10);
  } catch (const std::exception &error) {
    std::cout << error.what() << std::endl;
  }
  std::map<std::string, double> numbers{{"pi", M_PI}, {"root", std::sqrt(static_cast<double>(count))}};
  for (const auto &[name, number] : numbers) std::cout << name << ' ' << number << '\n';
  std::ostringstream stream;
  stream << std::hex << 255 << ' ' << std::stod("2.5");
  std::cout << stream.str() << std::endl;
  Base *base = new Derived;
  std::printf("%d %d\n", dynamic_cast<Derived *>(base) != nullptr, base->value());

  void *missing = dlopen("libnothing.so", RTLD_NOW);
  std::printf("%d %s\n", missing != nullptr, dlerror());
  void *math = dlopen("libm.so.6", RTLD_NOW);
  auto cosine = reinterpret_cast<double (*)(double)>(dlsym(math, "cos"));
  std::printf("%.3f\n", cosine(0.5));
  void *plug = dlopen(words[1], RTLD_LAZY);
  if (!plug) {
    std::puts(dlerror());
    return 1;
  }
  auto call = reinterpret_cast<int (*)(int)>(dlsym(plug, "call_back"));
  std::printf("%d\n", call(21));
  try {
    call(0);
  } catch (const std::out_of_range &error) {
    std::printf("through the library: %s\n", error.what());
  }
  try {
    call(-1);
  } catch (const std::string &error) {
    std::printf("from the library: %s\n", error.c_str());
  }
  std::printf("%d %s\n", dlclose(plug), dlsym(RTLD_DEFAULT, "from_program") ? "there" : "not there");
  std::ifstream file("/etc/nothing");
  std::printf("%d\n", file.is_open());
  fail(words[2], words[1]);
  return 3;
}
