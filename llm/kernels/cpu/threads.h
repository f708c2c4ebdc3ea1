// Threads that help with one piece of work at a time and are never waited for unless they took part.
// Knows nothing of what the work is. Linux gives no promise when a thread runs: on a machine whose
// cores are busy with other programs a team that meets at a barrier stands still for milliseconds
// at each of the hundreds of products of a token. Here the caller does what no helper has taken.
#pragma once
#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <thread>

namespace helping {

class Team {
 public:
  // The one team of the process. It is never destroyed: its threads may outlive the statics.
  static Team& shared() {
    static Team* const team = new Team;
    return *team;
  }

  // Run work(0), ..., work(count - 1), in any order, on this thread and up to num_threads - 1
  // helpers. A caller who finds the team at work for somebody else does all of it alone.
  template <class Work>
  void run(int64_t count, int num_threads, const Work& work) {
    if (num_threads < 2 || count < 2 || is_taken_.test_and_set(std::memory_order_acquire)) {
      for (int64_t i = 0; i < count; ++i) work(i);
      return;
    }
    hire(std::min<int64_t>(num_threads, count) - 1);
    call_ = [](const void* data, int64_t i) { (*static_cast<const Work*>(data))(i); };
    data_ = &work;
    count_ = count;
    num_parts_ = num_threads;
    next_.store(0, std::memory_order_relaxed);
    const uint64_t job = (state_.load(std::memory_order_relaxed) | kLow) + 1;  // one higher above
    state_.store(job | kOpen, std::memory_order_release);
    state_.notify_all();
    work_on();
    state_.fetch_and(~kOpen, std::memory_order_relaxed);
    while ((state_.load(std::memory_order_acquire) & kActive) != 0) _mm_pause();
    is_taken_.clear(std::memory_order_release);
  }

 private:
  // state_: the job's number, whether it may still be joined, how many helpers are in it.
  static constexpr uint64_t kLow = 0xffffffff, kOpen = 0x80000000, kActive = 0x7fffffff;
  // Products of one token follow each other within this time: sleeping costs more than it saves.
  static constexpr std::chrono::microseconds kAwake{200};

  void hire(int64_t num_helpers) {
    try {
      for (; num_hired_ < num_helpers; ++num_hired_)
        std::thread([this, number = num_hired_] { help(number); }).detach();
    } catch (const std::exception&) {
      // The system has no more to give: whoever is there helps, and the next job asks again.
    }
  }

  [[noreturn]] void help(int64_t number) {
    for (uint64_t seen = 0;;) {
      seen = wait_behind(seen);
      uint64_t state = seen;
      do {
        if ((state >> 32) != (seen >> 32) || !(state & kOpen)) break;
        if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) {
          if (number < num_parts_ - 1) work_on();  // else hired for a job that wanted more
          state_.fetch_sub(1, std::memory_order_release);
          break;
        }
      } while (true);
    }
  }

  // The state once its job's number is another one than that of `seen`.
  uint64_t wait_behind(uint64_t seen) {
    const auto until = std::chrono::steady_clock::now() + kAwake;
    for (uint64_t turn = 1;; ++turn) {
      const uint64_t state = state_.load(std::memory_order_acquire);
      if ((state >> 32) != (seen >> 32)) return state;
      if (turn % 64 == 0 && std::chrono::steady_clock::now() > until)
        state_.wait(state, std::memory_order_acquire);
      _mm_pause();
    }
  }

  // Neighbouring items, fewer the less there is left: long runs of memory, and an even end.
  void work_on() {
    int64_t start = next_.load(std::memory_order_relaxed);
    while (start < count_) {
      const int64_t stop = start + std::max<int64_t>(1, (count_ - start) / (2 * num_parts_));
      if (!next_.compare_exchange_weak(start, stop, std::memory_order_relaxed)) continue;
      for (int64_t i = start; i < stop; ++i) call_(data_, i);
      start = next_.load(std::memory_order_relaxed);
    }
  }

  std::atomic<uint64_t> state_{0};
  std::atomic<int64_t> next_{0};
  std::atomic_flag is_taken_ = ATOMIC_FLAG_INIT;
  void (*call_)(const void*, int64_t) = nullptr;
  const void* data_ = nullptr;
  int64_t count_ = 0, num_parts_ = 1, num_hired_ = 0;
};

}  // namespace helping
