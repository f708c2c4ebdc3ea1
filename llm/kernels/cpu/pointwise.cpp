// What a layer does between its products, each in one pass: norms, gates, rotary turns.
// Computes in float32 and rounds once. T tokens, C channels, F feed-forward size.
#include <algorithm>

#include "numbers.h"
#include "threads.h"

namespace {

constexpr int kLanes = 16;  // sums side by side, joined in order: the same bits everywhere
constexpr int64_t kSlice = 2048;

// out (T, C) = weight * x / sqrt(mean(x^2) + eps)
template <class Value>
void rms_norm(const Value* x, const Value* weight, float eps, int64_t tokens, int64_t channels,
              Value* out) {
  for (int64_t t = 0; t < tokens; ++t, x += channels, out += channels) {
    float squares[kLanes] = {};
    const int64_t whole = channels / kLanes * kLanes;
    for (int64_t c = 0; c < whole; c += kLanes)
      for (int lane = 0; lane < kLanes; ++lane)
        squares[lane] += widened(x[c + lane]) * widened(x[c + lane]);
    for (int64_t c = whole; c < channels; ++c) squares[c - whole] += widened(x[c]) * widened(x[c]);
    float sum = 0.0f;
    for (float square : squares) sum += square;
    const float scale = 1.0f / std::sqrt(sum / static_cast<float>(channels) + eps);
    for (int64_t c = 0; c < channels; ++c)
      narrow(widened(weight[c]) * (widened(x[c]) * scale), out + c);
  }
}

// out (T, F) = silu(gate) * up for x (T, 2 F) = [gate | up]; silu(g) = g / (1 + e^-g)
template <class Value>
void swiglu(const Value* x, int64_t tokens, int64_t size, Value* out, int num_threads) {
  const int64_t slices = (size + kSlice - 1) / kSlice;
  helping::Team::shared().run(tokens * slices, num_threads, [&](int64_t i) {
    const int64_t first = i % slices * kSlice, count = std::min(kSlice, size - first);
    const Value* gate = x + i / slices * 2 * size + first;
    const Value* up = gate + size;
    Value* mine = out + i / slices * size + first;
    for (int64_t f = 0; f < count; ++f) {
      const float g = widened(gate[f]);
      narrow(g / (1.0f + exponential(-g)) * widened(up[f]), mine + f);
    }
  });
}

// The first `heads` of each token's `stride` heads of x (T, stride, D) in place: the pairs
// (x[2j], x[2j+1]), j < turned, are turned by angles with cosines and sines (T, turned).
template <class Value>
void rotate(Value* x, const float* cosines, const float* sines, int64_t tokens, int64_t stride,
            int64_t heads, int64_t dim, int64_t turned) {
  for (int64_t t = 0; t < tokens; ++t, cosines += turned, sines += turned)
    for (int64_t h = 0; h < heads; ++h) {
      Value* pairs = x + (t * stride + h) * dim;
      for (int64_t j = 0; j < turned; ++j) {
        const float even = widened(pairs[2 * j]), odd = widened(pairs[2 * j + 1]);
        narrow(even * cosines[j] - odd * sines[j], pairs + 2 * j);
        narrow(odd * cosines[j] + even * sines[j], pairs + 2 * j + 1);
      }
    }
}

}  // namespace

// Every array of values is bfloat16 where is_bfloat16 is not 0, else float32.
extern "C" {

void rms_norm(const void* x, const void* weight, float eps, int is_bfloat16, int64_t tokens,
              int64_t channels, void* out) {
  if (is_bfloat16)
    rms_norm(static_cast<const BFloat16*>(x), static_cast<const BFloat16*>(weight), eps, tokens,
             channels, static_cast<BFloat16*>(out));
  else
    rms_norm(static_cast<const float*>(x), static_cast<const float*>(weight), eps, tokens,
             channels, static_cast<float*>(out));
}

void swiglu(const void* x, int is_bfloat16, int64_t tokens, int64_t size, void* out,
            int num_threads) {
  if (is_bfloat16)
    swiglu(static_cast<const BFloat16*>(x), tokens, size, static_cast<BFloat16*>(out),
           num_threads);
  else
    swiglu(static_cast<const float*>(x), tokens, size, static_cast<float*>(out), num_threads);
}

void rotate(void* x, int is_bfloat16, const float* cosines, const float* sines, int64_t tokens,
            int64_t stride, int64_t heads, int64_t dim, int64_t turned) {
  if (is_bfloat16)
    rotate(static_cast<BFloat16*>(x), cosines, sines, tokens, stride, heads, dim, turned);
  else
    rotate(static_cast<float*>(x), cosines, sines, tokens, stride, heads, dim, turned);
}

}  // extern "C"
