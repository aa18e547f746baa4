// What C++ programs want of their library and their linker.
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <vector>

struct Base {
  virtual ~Base() { std::cout << "~Base\n"; }
  virtual const char *name() { return "base"; }
};
struct Derived : Base {
  const char *name() override { return "derived"; }
  ~Derived() { std::cout << "~Derived\n"; }
};
struct Noisy {
  const char *name;
  Noisy(const char *name) : name(name) { std::cout << name << " up\n"; }
  ~Noisy() { std::cout << name << " down\n"; }
};
Noisy global("global");
thread_local Noisy local("thread");

int deep(int n) {
  struct Guard {
    int n;
    ~Guard() {
      if (n % 50 == 0) std::cout << "unwind " << n << "\n";
    }
  } guard{n};
  if (n == 0) throw std::out_of_range("deep");
  return deep(n - 1) + 1;
}

int main(int count, char **words) {
  std::map<std::string, int> words_seen;
  for (auto word : {"a", "b", "a"}) words_seen[word]++;
  for (auto &[word, times] : words_seen) std::cout << word << "=" << times << " ";
  std::cout << std::endl << local.name << "\n";
  try {
    deep(100);
  } catch (const std::exception &error) {
    std::cout << "caught " << error.what() << "\n";
  }
  try {
    try {
      throw 5;
    } catch (int) {
      throw std::string("again");
    }
  } catch (std::string &text) {
    std::cout << text << "\n";
  }
  std::unique_ptr<Base> base(new Derived);
  std::cout << base->name() << " " << typeid(*base).name() << " " << (dynamic_cast<Derived *>(base.get()) != nullptr) << "\n";
  try {
    Base plain;
    dynamic_cast<Derived &>(plain);
  } catch (std::bad_cast &) {
    std::cout << "bad cast\n";
  }
  std::ostringstream out;
  out << std::setprecision(10) << 3.14159265358979 << std::hex << 255;
  std::cout << out.str() << "\n";
  std::string line;
  int characters = 0;
  while (std::getline(std::cin, line)) characters += line.size();
  std::cout << characters << "\n";
  if (*words[count - 1] == 't') throw 1;
  return 4;
}
