// Float32 and bfloat16 as the kernels read and write them, e^x for both signs, and what a kernel
// answers to its caller.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <new>

// 0, or 1 where memory is short: an exception that left C++ would end the process.
template <class Work>
int status_of(const Work& work) {
  try {
    work();
    return 0;
  } catch (const std::bad_alloc&) {
    return 1;
  }
}

struct BFloat16 {
  uint16_t bits;
};

inline float widened(float x) { return x; }
inline float widened(BFloat16 x) {
  const uint32_t bits = uint32_t{x.bits} << 16;
  float result;
  std::memcpy(&result, &bits, 4);
  return result;
}

inline void narrow(float x, float* out) { *out = x; }
inline void narrow(float x, BFloat16* out) {  // to nearest even, as torch does
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  const uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
  out->bits = static_cast<uint16_t>(x == x ? rounded : 0x7fc0u);
}

// e^x within 2e-7 of it for |x| <= 87, at the nearer end beyond; NaN stays NaN. Without branches
// or calls, so that a loop over it becomes vector instructions.
// x = n ln 2 + r with |r| <= ln 2 / 2, and the Taylor series of e^r up to r^7.
inline float exponential(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 87.0f ? 87.0f : x;
  const float n = std::nearbyintf(x * 1.44269504f);
  // ln 2 in two parts: n times the first is exact.
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float sum = 1.0f / 5040;
  sum = sum * r + 1.0f / 720;
  sum = sum * r + 1.0f / 120;
  sum = sum * r + 1.0f / 24;
  sum = sum * r + 1.0f / 6;
  sum = sum * r + 0.5f;
  sum = sum * r + 1.0f;
  sum = sum * r + 1.0f;
  // 2^n by its bits; NaN has no n, and its sum is NaN whatever it is multiplied with.
  const int32_t bits = (static_cast<int32_t>(n == n ? n : 0.0f) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, 4);
  return sum * power;
}
