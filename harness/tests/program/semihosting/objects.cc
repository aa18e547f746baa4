#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

// What the library of Debian's newlib asks for and does not have.
extern "C" int getentropy(void *, unsigned) { return -1; }

struct Leaves {
  ~Leaves() { std::cout << "left\n"; }
};
struct Base {
  virtual ~Base() {}
  virtual int answer() { return 1; }
};
struct Derived : Base {
  int answer() override { return 7; }
};
static std::string global = "made";

static int deep(int n) {
  Leaves here;
  if (n > 2) throw std::runtime_error("deep");
  return n;
}

int main() {
  std::map<std::string, int> map;
  map["a"] = 5;
  try {
    deep(1), deep(5);
  } catch (const std::exception &error) {
    std::cout << error.what() << map["a"] << global << std::endl;
  }
  try {
    std::vector<int>(3).at(7);
  } catch (const std::out_of_range &) {
    std::cout << "out of range" << std::endl;
  }
  Base *base = new Derived;
  std::cout << base->answer() << (dynamic_cast<Derived *>(base) != nullptr) << std::endl;
  delete base;
  try {
    throw 3;
  } catch (int status) {
    return status;
  }
}
