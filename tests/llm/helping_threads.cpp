// Checks of kernels/threads.h that need threads of their own: exit status 1 where one fails.
#include "threads.h"

#include <sys/resource.h>

#include <cstdio>
#include <cstring>
#include <mutex>
#include <set>
#include <vector>

using helping::Team;

namespace {

// How many threads take part in jobs that are offered to `num_threads`.
size_t taking_part(int num_threads) {
  std::mutex mutex;
  std::set<std::thread::id> seen;
  for (int job = 0; job < 50; ++job)
    Team::shared().run(64, num_threads, [&](int64_t) {
      std::this_thread::sleep_for(std::chrono::microseconds(20));
      const std::lock_guard<std::mutex> lock(mutex);
      seen.insert(std::this_thread::get_id());
    });
  return seen.size();
}

bool more_take_part_than_asked() {
  taking_part(6);
  return taking_part(2) > 2;
}

// Several callers at once, jobs of every size, helpers that fall asleep in between.
bool an_item_is_lost_or_done_twice() {
  std::atomic<bool> wrong{false};
  const auto call = [&wrong](int seed) {
    for (int job = 0; job < 3000; ++job) {
      std::vector<int> times(job * seed % 37);
      Team::shared().run(times.size(), 1 + job % 4, [&](int64_t i) { ++times[i]; });
      for (const int each : times) wrong = wrong || each != 1;
      if (job % 64 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
  };
  std::thread first(call, 7), second(call, 11);
  call(13);
  first.join(), second.join();
  return wrong;
}

// Without room for another stack no thread can be made.
bool work_is_left_where_threads_are_refused() {
  long pages = 0;
  if (FILE* const file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld", &pages) != 1) return true;
    std::fclose(file);
  }
  const rlim_t room = pages * 4096 + (1 << 20);
  const rlimit limit{room, room};
  if (setrlimit(RLIMIT_AS, &limit) != 0) return true;
  std::atomic<int> done{0};
  for (int job = 0; job < 3; ++job) Team::shared().run(100, 4, [&](int64_t) { ++done; });
  return done != 300;
}

}  // namespace

int main(int, char** arguments) {
  const char* const check = arguments[1];
  if (std::strcmp(check, "once") == 0) return an_item_is_lost_or_done_twice();
  if (std::strcmp(check, "asked") == 0) return more_take_part_than_asked();
  if (std::strcmp(check, "refused") == 0) return work_is_left_where_threads_are_refused();
  return 2;
}
