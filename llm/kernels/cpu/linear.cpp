// y = x W^T + b for int8 and int4 weights, the tokens' activations quantised to int8 on the way.
// Knows the panel layout of panels.py and nothing of models; memory belongs to the caller.
//
// M tokens, N weight rows, K columns; N is padded to panels of 64 rows and K to whole groups.
// Weights are stored unsigned (w + 128, or w + 8 in a nibble), as the u8 x s8 instruction wants
// them; what that adds to each sum, offset * (sum of the group's activations), is where the
// integer sum of a group starts, so it costs nothing.
//
// Each result is the sum over groups, in ascending order, of (integer sum) * (the activations'
// scale * int4's multiple), times the row's scale: the order depends on neither M, the tile nor the
// thread. A token decoded alone and the same token among sixteen get the same bits.
#include <algorithm>
#include <memory>

#include "lanes.h"
#include "numbers.h"
#include "threads.h"

using helping::Team;

namespace {

constexpr int kRows = 64;            // of a panel
constexpr int kSegment = 512;        // columns: 64 x 512 weights stay in the L1 cache
constexpr int kTokenBlock = 256;     // tokens: their 64 sums each stay in the L2 cache
constexpr int kInt8Group = 128, kInt4Group = 32;
// Bytes to fetch ahead where each weight is used once. The machine's own prefetching ends with
// every page of 4 KiB, and more lines on their way at once read faster than any plain loop.
constexpr int kAhead = 4096;

// The loops over a tile must vanish, or its sums live in memory instead of registers.
#define UNROLL _Pragma("GCC unroll 8")

// The tokens' values of one segment lie together: rows K apart would all fall into the same few
// sets of the caches.
struct Activations {
  const int8_t* values;   // (K / kSegment, M, kSegment), the last segment padded
  const float* scales;    // (K / group, M)
  const int32_t* starts;  // (K / group, M): -offset * sum of the group's values
  int64_t tokens, groups;
};

// At most kSegment columns of one panel.
struct Segment {
  const uint8_t* codes;
  int64_t first_group, num_groups;
};

// A group of int8 is [columns / 4][64 rows][4] bytes. A group of int4 is [4][64 rows][4] bytes, the
// low nibbles its first 16 columns and the high ones its last 16, and behind them the 64 rows'
// multiples of their scales, so that one stream of memory holds all that is read.
enum class Code { kInt8, kInt4 };

template <Code C>
constexpr int kGroup = C == Code::kInt8 ? kInt8Group : kInt4Group;

template <Code C>
constexpr int kCodeBytes = kGroup<C> * kRows / (C == Code::kInt8 ? 1 : 2);

template <Code C>
constexpr int kGroupBytes = kCodeBytes<C> + (C == Code::kInt8 ? 0 : kRows);

// partial (T tokens, kStrip x 16 rows) += one group's products of codes and values.
template <int T, Code C>
inline void add_products(const uint8_t* codes, const int8_t* values, I32 (&partial)[T][kStrip]) {
  constexpr bool is_int4 = C == Code::kInt4;
  constexpr int columns = is_int4 ? kInt4Group / 2 : kInt8Group;
  for (int k = 0; k < columns; k += 4, codes += 4 * kRows, values += 4) {
    Bytes weights[kStrip];
    UNROLL for (int s = 0; s < kStrip; ++s) weights[s] = load_bytes(codes + 64 * s);
    if (T == 1) UNROLL for (int s = 0; s < kStrip; ++s) prefetch(codes + 64 * s + kAhead);
    UNROLL for (int t = 0; t < T; ++t) {
      const I32 quad = splat_quad(values + t * kSegment);
      UNROLL for (int s = 0; s < kStrip; ++s)
        partial[t][s] = dot(partial[t][s], is_int4 ? low_nibbles(weights[s]) : weights[s], quad);
      if (!is_int4) continue;
      const I32 second = splat_quad(values + t * kSegment + kInt4Group / 2);
      UNROLL for (int s = 0; s < kStrip; ++s)
        partial[t][s] = dot(partial[t][s], high_nibbles(weights[s]), second);
    }
  }
}

// sums (T tokens, 64) += the segment's part, for T tokens from `token` on.
template <int T, Code C>
void add_tile(const Segment& segment, const Activations& x, int64_t token, float* sums) {
  for (int strip = 0; strip < kRows; strip += 16 * kStrip) {
    for (int64_t g = 0; g < segment.num_groups; ++g) {
      const int64_t column = (segment.first_group + g) * kGroup<C>;
      const int64_t at = (segment.first_group + g) * x.tokens + token;
      I32 partial[T][kStrip];
      UNROLL for (int t = 0; t < T; ++t)
        UNROLL for (int s = 0; s < kStrip; ++s) partial[t][s] = splat_int(x.starts[at + t]);
      add_products<T, C>(segment.codes + g * kGroupBytes<C> + strip * 4,
                         x.values + x.tokens * (column / kSegment * kSegment) +
                             token * kSegment + column % kSegment,
                         partial);
      const uint8_t* multiples = segment.codes + g * kGroupBytes<C> + kCodeBytes<C> + strip;
      if (T == 1 && C != Code::kInt8) prefetch(multiples + kAhead);
      UNROLL for (int s = 0; s < kStrip; ++s) {
        const int row = strip + 16 * s;
        F32 multiple;
        if (C != Code::kInt8) multiple = load_signed(multiples + 16 * s);
        UNROLL for (int t = 0; t < T; ++t) {
          F32 scale = splat(x.scales[at + t]);
          if (C != Code::kInt8) scale = mul(scale, multiple);
          float* sum = sums + t * kRows + row;
          store(sum, fma(to_float(partial[t][s]), scale, load(sum)));
        }
      }
      // Keeps the compiler from holding sums in registers that the next group's products need.
      asm volatile("" ::: "memory");
    }
  }
}

// The tile sizes below kTokens serve the last tokens of a block.
template <int T, Code C>
void add_tokens(const Segment& segment, const Activations& x, int64_t token, int64_t count,
                float* sums) {
  for (; count >= T; count -= T, token += T, sums += T * kRows)
    add_tile<T, C>(segment, x, token, sums);
  if constexpr (T > 1) add_tokens<T - 1, C>(segment, x, token, count, sums);
}

struct Weights {
  const uint8_t* codes;  // (N / 64, groups, kGroupBytes)
  const float* scales;   // (N,)
  const float* bias;     // (N,) or null
  int64_t rows;          // N as the caller sees it
};

// sums (count tokens, 64) += a panel's part, segment by segment.
template <Code C>
void add_panel(const Weights& w, const Activations& x, int64_t panel, int64_t token,
               int64_t count, float* sums) {
  constexpr int64_t groups_at_once = kSegment / kGroup<C>;
  for (int64_t g = 0; g < x.groups; g += groups_at_once) {
    const Segment segment{w.codes + (panel * x.groups + g) * kGroupBytes<C>, g,
                          std::min(groups_at_once, x.groups - g)};
    add_tokens<kTokens, C>(segment, x, token, count, sums);
  }
}

template <class Out>
void write_token(const Weights& w, int64_t panel, const float* sums, Out* out) {
  const int64_t first = panel * kRows, rows = std::min<int64_t>(kRows, w.rows - first);
  for (int64_t r = 0; r < rows; ++r) {
    const float bias = w.bias ? w.bias[first + r] : 0.0f;
    narrow(std::fmaf(sums[r], w.scales[first + r], bias), out + first + r);
  }
}

template <Code C, class Out>
void multiply(const Weights& w, const Activations& x, Out* out, int num_threads) {
  Team::shared().run((w.rows + kRows - 1) / kRows, num_threads, [&](int64_t panel) {
    alignas(64) float sums[kTokenBlock * kRows];
    for (int64_t token = 0; token < x.tokens; token += kTokenBlock) {
      const int64_t count = std::min<int64_t>(kTokenBlock, x.tokens - token);
      std::fill_n(sums, count * kRows, 0.0f);
      add_panel<C>(w, x, panel, token, count, sums);
      for (int64_t t = 0; t < count; ++t)
        write_token(w, panel, sums + t * kRows, out + (token + t) * w.rows);
    }
  });
}

// One group of one token: value = round(x / scale), ties to even, scale = max|x| / 127.
// A group that is zero (or too small for a normal scale) becomes zeros; one that holds NaN or
// infinity gets a NaN scale, so that its token's results are NaN and not plausible numbers.
float quantize_group(const float* x, int64_t columns, int group, int8_t* values) {
  uint32_t largest = 0;  // of the absolute values' bits: NaN sorts above infinity
  for (int64_t i = 0; i < columns; ++i) {
    uint32_t bits;
    std::memcpy(&bits, x + i, 4);
    largest = std::max(largest, bits & 0x7fffffffu);
  }
  float scale;
  std::memcpy(&scale, &largest, 4);
  const bool finite = largest < 0x7f800000u;
  scale = finite ? scale / 127.0f : NAN;
  std::fill_n(values, group, int8_t{0});
  if (!finite) return scale;
  if (scale < 1.17549435e-38f) return 0.0f;
  const float inverse = 1.0f / scale;
  for (int64_t i = 0; i < columns; ++i)
    values[i] = static_cast<int8_t>(static_cast<int32_t>(std::nearbyintf(x[i] * inverse)));
  return scale;
}

template <class In>
void quantize(const In* x, int64_t tokens, int64_t columns, int64_t group, int64_t offset,
              int8_t* values, float* scales, int32_t* starts, int num_threads) {
  const int64_t groups = (columns + group - 1) / group;
  Team::shared().run(tokens, tokens < 16 ? 1 : num_threads, [&](int64_t token) {
    for (int64_t g = 0; g < groups; ++g) {
      const int64_t at = g * tokens + token, column = g * group;
      const int64_t count = std::min(group, columns - column);
      float wide[kInt8Group];
      for (int64_t i = 0; i < count; ++i) wide[i] = widened(x[token * columns + column + i]);
      int8_t* mine = values + tokens * (column / kSegment * kSegment) + token * kSegment +
                     column % kSegment;
      scales[at] = quantize_group(wide, count, static_cast<int>(group), mine);
      int32_t sum = 0;
      for (int64_t i = 0; i < group; ++i) sum += mine[i];
      starts[at] = static_cast<int32_t>(-offset) * sum;
    }
  });
}

void quantize(const void* x, int is_bfloat16, int64_t tokens, int64_t columns, int64_t group,
              int64_t offset, int8_t* values, float* scales, int32_t* starts, int num_threads) {
  if (is_bfloat16)
    quantize(static_cast<const BFloat16*>(x), tokens, columns, group, offset, values, scales,
             starts, num_threads);
  else
    quantize(static_cast<const float*>(x), tokens, columns, group, offset, values, scales,
             starts, num_threads);
}

template <Code C>
void linear(const Weights& w, const void* x, int64_t tokens, int64_t columns, void* out,
            int is_bfloat16, int num_threads) {
  const int64_t groups = (columns + kGroup<C> - 1) / kGroup<C>;
  const int64_t segments = (columns + kSegment - 1) / kSegment;
  const auto values = std::make_unique_for_overwrite<int8_t[]>(segments * tokens * kSegment);
  const auto scales = std::make_unique_for_overwrite<float[]>(groups * tokens);
  const auto starts = std::make_unique_for_overwrite<int32_t[]>(groups * tokens);
  quantize(x, is_bfloat16, tokens, columns, kGroup<C>, C == Code::kInt8 ? 128 : 8, values.get(),
           scales.get(), starts.get(), num_threads);
  const Activations mine{values.get(), scales.get(), starts.get(), tokens, groups};
  if (is_bfloat16) multiply<C>(w, mine, static_cast<BFloat16*>(out), num_threads);
  else multiply<C>(w, mine, static_cast<float*>(out), num_threads);
}

}  // namespace

// x and results are float32, or bfloat16 where is_bfloat16 is not 0. An int returned is a status.
extern "C" {

// x (tokens, columns) to the arrays of Activations, for the tests.
void quantize_tokens(const void* x, int is_bfloat16, int64_t tokens, int64_t columns,
                     int64_t group, int64_t offset, int8_t* values, float* scales,
                     int32_t* starts, int num_threads) {
  quantize(x, is_bfloat16, tokens, columns, group, offset, values, scales, starts, num_threads);
}

// out (tokens, rows) = x (tokens, columns) W^T + bias
int linear_int8(const uint8_t* codes, const float* scales, const float* bias, int64_t rows,
                const void* x, int64_t tokens, int64_t columns, void* out, int is_bfloat16,
                int num_threads) {
  return status_of([&] {
    linear<Code::kInt8>({codes, scales, bias, rows}, x, tokens, columns, out, is_bfloat16,
                        num_threads);
  });
}

int linear_int4(const uint8_t* codes, const float* scales, const float* bias, int64_t rows,
                const void* x, int64_t tokens, int64_t columns, void* out,
                int is_bfloat16, int num_threads) {
  return status_of([&] {
    linear<Code::kInt4>({codes, scales, bias, rows}, x, tokens, columns, out, is_bfloat16,
                        num_threads);
  });
}

}  // extern "C"
