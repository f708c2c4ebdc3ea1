// What an encoder does between its products: attention over a whole sequence, and the Gaussian
// error linear unit. One thread; a caller with several sequences shares them out itself.
// Knows rows of float32 and nothing of models; memory belongs to the caller.
//
// A asked tokens, T tokens, C channels, H heads, D = C / H.
#include <algorithm>
#include <memory>

#include "lanes.h"
#include "numbers.h"

namespace {

constexpr int kLanes = 16;
constexpr int kQueries = 4;   // rows whose scores are computed together
constexpr int kVectors = 4;   // of 16 keys each: 16 sums live in registers

inline int64_t filled(int64_t count) { return (count + kLanes - 1) / kLanes * kLanes; }

// scores (kQueries, stride) = queries (kQueries, D) keys, keys turned to (D, stride).
template <int Q, int V>
void score(const float* const (&query)[kQueries], const float* keys, int64_t dim, int64_t stride,
           int64_t first, float* scores) {
  F32 sum[Q][V];
  for (int q = 0; q < Q; ++q)
    for (int v = 0; v < V; ++v) sum[q][v] = splat(0);
  for (int64_t d = 0; d < dim; ++d) {
    F32 key[V];
    for (int v = 0; v < V; ++v) key[v] = load(keys + d * stride + first + kLanes * v);
    for (int q = 0; q < Q; ++q) {
      const F32 value = splat(query[q][d]);
      for (int v = 0; v < V; ++v) sum[q][v] = fma(value, key[v], sum[q][v]);
    }
  }
  for (int q = 0; q < Q; ++q)
    for (int v = 0; v < V; ++v) store(scores + q * stride + first + kLanes * v, sum[q][v]);
}

// Scores (count) become e^(score - largest); the return is one over their sum. What fills the last
// vector becomes e^-87 or less, which no sum of float32 beside 1 can hold.
float weigh(float* scores, int64_t count) {
  float largest[kLanes], sums[kLanes] = {};
  const int64_t whole = filled(count);
  for (int64_t t = count; t < whole; ++t) scores[t] = -3e38f;
  std::copy_n(scores, kLanes, largest);
  for (int64_t t = kLanes; t < whole; t += kLanes)
    for (int i = 0; i < kLanes; ++i) largest[i] = std::max(largest[i], scores[t + i]);
  const float most = *std::max_element(largest, largest + kLanes);
  for (int64_t t = 0; t < whole; t += kLanes)
    for (int i = 0; i < kLanes; ++i) {
      scores[t + i] = exponential(scores[t + i] - most);
      sums[i] += scores[t + i];
    }
  float sum = 0.0f;
  for (float part : sums) sum += part;
  return 1.0f / sum;
}

// out[q] (2 vectors from `at` on) = sum over tokens of weight * value, times the share.
void mix(const float* weights, int64_t stride, const float* values, int64_t step, int64_t count,
         const float (&share)[kQueries], float* const (&out)[kQueries], int num_vectors) {
  F32 sum[kQueries][2];
  for (auto& of_query : sum) of_query[0] = of_query[1] = splat(0);
  for (int64_t t = 0; t < count; ++t) {
    const float* row = values + t * step;
    const F32 first = load(row), second = num_vectors > 1 ? load(row + kLanes) : splat(0);
    for (int q = 0; q < kQueries; ++q) {
      const F32 weight = splat(weights[q * stride + t]);
      sum[q][0] = fma(weight, first, sum[q][0]);
      sum[q][1] = fma(weight, second, sum[q][1]);
    }
  }
  for (int q = 0; q < kQueries; ++q)
    for (int v = 0; v < num_vectors; ++v)
      store(out[q] + kLanes * v, mul(sum[q][v], splat(share[q])));
}

// One head: query, key, value and out are of rows `query_step`, `step`, `step`, `out_step` apart.
struct Head {
  const float* query;
  const float* key;
  const float* value;
  float* out;
  int64_t query_step, step, out_step, asked, tokens, dim;
};

void attend_head(const Head& h, float* turned, float* scores) {
  const int64_t stride = filled(h.tokens);
  for (int64_t d = 0; d < h.dim; ++d) {
    for (int64_t t = 0; t < h.tokens; ++t) turned[d * stride + t] = h.key[t * h.step + d];
    std::fill(turned + d * stride + h.tokens, turned + (d + 1) * stride, 0.0f);
  }
  for (int64_t at = 0; at < h.asked; at += kQueries) {
    const float* query[kQueries];
    float* out[kQueries];
    float share[kQueries];
    for (int q = 0; q < kQueries; ++q) {  // the last row again where there are no more
      const int64_t row = std::min(at + q, h.asked - 1);
      query[q] = h.query + row * h.query_step;
      out[q] = h.out + row * h.out_step;
    }
    int64_t first = 0;
    for (; first + kLanes * kVectors <= stride; first += kLanes * kVectors)
      score<kQueries, kVectors>(query, turned, h.dim, stride, first, scores);
    for (; first < stride; first += kLanes)
      score<kQueries, 1>(query, turned, h.dim, stride, first, scores);
    for (int q = 0; q < kQueries; ++q) share[q] = weigh(scores + q * stride, h.tokens);
    for (int64_t d = 0; d < h.dim; d += 2 * kLanes) {
      float* place[kQueries];
      for (int q = 0; q < kQueries; ++q) place[q] = out[q] + d;
      mix(scores, stride, h.value + d, h.step, h.tokens, share, place,
          h.dim - d > kLanes ? 2 : 1);
    }
  }
}

}  // namespace

extern "C" {

// out (A, C) = softmax(query key^T) value by head, for query (A, C) that was scaled already and
// key_value (T, 2 C) = [key | value]. D is a multiple of 16.
int attend_sequence(const float* query, const float* key_value, int64_t asked, int64_t tokens,
                    int64_t heads, int64_t dim, float* out) {
  return status_of([&] {
    const int64_t channels = heads * dim, stride = filled(tokens);
    const auto turned = std::make_unique_for_overwrite<float[]>(dim * stride);
    const auto scores = std::make_unique_for_overwrite<float[]>(kQueries * stride);
    for (int64_t head = 0; head < heads; ++head) {
      const int64_t at = head * dim;
      attend_head({query + at, key_value + at, key_value + channels + at, out + at, channels,
                   2 * channels, channels, asked, tokens, dim},
                  turned.get(), scores.get());
    }
  });
}

// values (count) in place: x Phi(x), within 1e-6 (Abramowitz and Stegun, 7.1.26).
void gelu(float* values, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const float x = values[i], size = std::fabs(x);
    const float part = 1.0f / (1.0f + 0.23164188f * size);  // 0.3275911 / sqrt(2)
    float tail = 0.5f * 1.061405429f;
    tail = tail * part + 0.5f * -1.453152027f;
    tail = tail * part + 0.5f * 1.421413741f;
    tail = tail * part + 0.5f * -0.284496736f;
    tail = tail * part + 0.5f * 0.254829592f;
    tail = tail * part * exponential(-0.5f * size * size) * size;
    values[i] = std::max(x, 0.0f) - tail;
  }
}

}  // extern "C"
