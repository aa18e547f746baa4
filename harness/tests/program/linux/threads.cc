// Threads of C++: thread_local with destructors, exceptions that stay in their thread or are carried to another, and what libstdc++ waits by.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <iostream>
#include <mutex>
#include <numeric>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static std::atomic<int> made, gone;
struct Counted {
  std::string name;
  explicit Counted(std::string name) : name(std::move(name)) { made++; }
  ~Counted() { gone += 1 + (name.size() > 100); }
};
static thread_local Counted counted("a name that is longer than what fits into the object itself");
static thread_local std::vector<int> numbers;
static std::once_flag flag;
static int calls;

static int deep(int level) {
  struct Leaves { int &of; ~Leaves() { of++; } };
  static thread_local int left = 0;
  Leaves leaves{left};
  if (level == 0) throw std::runtime_error("from the depth " + std::to_string(left));
  return deep(level - 1) + 1;
}

int main(int argc, char **argv) {
  std::mutex mutex;
  std::vector<std::thread> threads;
  std::atomic<long> caught{0}, sum{0};
  for (int i = 0; i < 6; i++)
    threads.emplace_back([&, i] {
      std::call_once(flag, [] { calls++; });
      for (int round = 0; round < 10; round++) {
        try {
          deep(5 + i);
        } catch (const std::runtime_error &error) {
          caught += std::string(error.what()) == "from the depth " + std::to_string(round * (6 + i));
        }
        numbers.push_back(round);
        std::lock_guard<std::mutex> guard(mutex);
        sum += counted.name.size();
      }
      sum += std::accumulate(numbers.begin(), numbers.end(), 0);
    });
  for (auto &thread : threads) thread.join();
  std::cout << "caught " << caught << " sum " << sum << " calls " << calls << " made " << made << " gone " << gone << "\n";

  std::promise<int> promise;
  auto future = promise.get_future();
  std::thread keeps([&] { promise.set_exception(std::make_exception_ptr(std::logic_error("carried"))); });
  try {
    future.get();
  } catch (const std::logic_error &error) {
    std::cout << error.what() << "\n";
  }
  keeps.join();
  auto task = std::async(std::launch::async, [](int n) { return n * n; }, 12);
  std::cout << "async " << task.get() << "\n";

  std::condition_variable changed;
  std::vector<int> queue;
  bool done = false;
  long consumed = 0;
  std::thread consumer([&] {
    std::unique_lock<std::mutex> hold(mutex);
    for (;;) {
      changed.wait(hold, [&] { return done || !queue.empty(); });
      if (queue.empty()) return;
      consumed += queue.back();
      queue.pop_back();
    }
  });
  for (int i = 1; i <= 500; i++) {
    std::lock_guard<std::mutex> guard(mutex);
    queue.push_back(i);
    changed.notify_one();
  }
  { std::lock_guard<std::mutex> guard(mutex); done = true; }
  changed.notify_all();
  consumer.join();
  std::cout << "consumed " << consumed << "\n";

  std::shared_mutex shared;
  int value = 0;
  std::atomic<int> read{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; i++)
    readers.emplace_back([&] {
      for (int j = 0; j < 100; j++) {
        std::shared_lock<std::shared_mutex> hold(shared);
        read += value >= 0;
      }
    });
  for (int i = 0; i < 100; i++) {
    std::unique_lock<std::shared_mutex> hold(shared);
    value++;
  }
  for (auto &thread : readers) thread.join();
  auto begun = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(25));
  auto passed = std::chrono::steady_clock::now() - begun;
  std::unique_lock<std::mutex> hold(mutex);
  auto status = changed.wait_for(hold, std::chrono::milliseconds(10));
  std::cout << "read " << read << " value " << value << " slept " << (passed >= std::chrono::milliseconds(25))
            << " late " << (status == std::cv_status::timeout) << std::endl;
  hold.unlock();
  if (argc > 1 && std::string(argv[1]) == "throw") std::thread([] { throw 5; }).join();
  if (argc > 1 && std::string(argv[1]) == "abandon") std::thread([] {}).~thread();
  return 0;
}
