// One query a row over cached pages: softmax(q k^T / sqrt(D)) v, in float32.
// Knows pages and heads; whose they are and which tokens are in them is the caller's.
//
// B rows, H query heads in G groups that share keys and values, D head dimension. A vector lane
// is a query head: sixteen heads of a group read a key once, and no lane needs another's sum.
//
// A row's tokens are taken in parts of kPart, each summed by itself, and the parts joined in their
// order: the bits depend on the row alone, not on threads or the rows beside it.
#include <algorithm>
#include <atomic>
#include <vector>

#include "lanes.h"
#include "numbers.h"
#include "threads.h"

namespace {

constexpr int kLanes = 16;   // heads that are computed together
constexpr int kBlock = 32;   // tokens whose weights are taken together
constexpr int kPart = 512;   // tokens that one thread sums

struct Cache {
  const int32_t* tables;   // (B, stride): the pages of each row
  const int32_t* lengths;  // (B,): how many of their slots it sees
  int64_t stride, page_tokens, groups, dim;

  // Where the D values of a row's token lie, in units of D.
  int64_t slot(int64_t row, int64_t token, int64_t group) const {
    const int64_t page = tables[row * stride + token / page_tokens];
    return (page * page_tokens + token % page_tokens) * groups + group;
  }
};

// The sums of one part of a row: the largest score, the weights' sum, and (D, 16 heads) values.
struct Part {
  alignas(64) float largest[kLanes], weight[kLanes];
  std::vector<float> sums;
};

// weights (count, 16) = scores of the block's tokens; keys (count, D) as float32.
void score(const float* query, const float* keys, int64_t dim, int count, float* weights) {
  for (int t = 0; t < count; t += 4) {
    F32 sum[4] = {splat(0), splat(0), splat(0), splat(0)};
    const float* key[4];
    for (int u = 0; u < 4; ++u) key[u] = keys + std::min(t + u, count - 1) * dim;
    for (int64_t d = 0; d < dim; ++d) {
      const F32 q = load(query + d * kLanes);
      for (int u = 0; u < 4; ++u) sum[u] = fma(q, splat(key[u][d]), sum[u]);
    }
    for (int u = 0; u < std::min(4, count - t); ++u) store(weights + (t + u) * kLanes, sum[u]);
  }
}

// Scores become weights relative to the largest score so far; the earlier sums shrink with it.
void weigh(float* weights, int count, int64_t dim, Part& part) {
  alignas(64) float largest[kLanes], shrink[kLanes];
  for (int h = 0; h < kLanes; ++h) largest[h] = part.largest[h];
  for (int t = 0; t < count; ++t)
    for (int h = 0; h < kLanes; ++h)
      largest[h] = std::max(largest[h], weights[t * kLanes + h]);
  for (int h = 0; h < kLanes; ++h) {
    shrink[h] = exponential(part.largest[h] - largest[h]);
    part.largest[h] = largest[h];
    part.weight[h] *= shrink[h];
  }
  for (int t = 0; t < count; ++t)
    for (int h = 0; h < kLanes; ++h) {
      float& weight = weights[t * kLanes + h];
      weight = exponential(weight - largest[h]);
      part.weight[h] += weight;
    }
  for (int64_t d = 0; d < dim; ++d)
    for (int h = 0; h < kLanes; ++h) part.sums[d * kLanes + h] *= shrink[h];
}

// sums (D, 16) += weights (count, 16) * values (count, D).
void mix(const float* weights, const float* values, int64_t dim, int count, float* sums) {
  for (int64_t d = 0; d < dim; d += 4) {
    const int64_t width = std::min<int64_t>(4, dim - d);
    F32 sum[4];
    for (int u = 0; u < width; ++u) sum[u] = load(sums + (d + u) * kLanes);
    for (int t = 0; t < count; ++t) {
      const F32 weight = load(weights + t * kLanes);
      for (int u = 0; u < width; ++u) sum[u] = fma(weight, splat(values[t * dim + d + u]), sum[u]);
    }
    for (int u = 0; u < width; ++u) store(sums + (d + u) * kLanes, sum[u]);
  }
}

template <class Value>
void gather(const Value* cached, const Cache& cache, int64_t row, int64_t group, int64_t first,
            int count, float* out) {
  for (int t = 0; t < count; ++t) {
    const Value* from = cached + cache.slot(row, first + t, group) * cache.dim;
    for (int64_t d = 0; d < cache.dim; ++d) out[t * cache.dim + d] = widened(from[d]);
  }
}

template <class Value>
struct Attention {
  const Value *query, *keys, *values;
  Cache cache;
  int64_t rows, heads;
  Value* out;

  int64_t heads_in_group() const { return heads / cache.groups; }
  int64_t bundles() const { return (heads_in_group() + kLanes - 1) / kLanes; }

  // The first head of a bundle and how many it has.
  std::pair<int64_t, int> bundle(int64_t group, int64_t number) const {
    const int64_t left = heads_in_group() - number * kLanes;
    return {group * heads_in_group() + number * kLanes,
            static_cast<int>(std::min<int64_t>(left, kLanes))};
  }

  // (D, 16) of a bundle's queries, divided by sqrt(D); lanes without a head are zero.
  std::vector<float> turned(int64_t row, int64_t first, int count) const {
    std::vector<float> result(cache.dim * kLanes);
    const float scale = 1.0f / std::sqrt(static_cast<float>(cache.dim));
    for (int h = 0; h < count; ++h)
      for (int64_t d = 0; d < cache.dim; ++d)
        result[d * kLanes + h] = widened(query[(row * heads + first + h) * cache.dim + d]) * scale;
    return result;
  }

  void sum_part(int64_t row, int64_t group, int64_t number, int64_t start, Part& part) const {
    const auto [first, count] = bundle(group, number);
    const std::vector<float> mine = turned(row, first, count);
    std::vector<float> rows_of(kBlock * cache.dim);
    alignas(64) float weights[kBlock * kLanes];
    std::fill_n(part.largest, kLanes, -INFINITY);
    std::fill_n(part.weight, kLanes, 0.0f);
    part.sums.assign(cache.dim * kLanes, 0.0f);
    const int64_t stop = std::min<int64_t>(start + kPart, cache.lengths[row]);
    for (int64_t at = start; at < stop; at += kBlock) {
      const int num = static_cast<int>(std::min<int64_t>(kBlock, stop - at));
      gather(keys, cache, row, group, at, num, rows_of.data());
      score(mine.data(), rows_of.data(), cache.dim, num, weights);
      weigh(weights, num, cache.dim, part);
      gather(values, cache, row, group, at, num, rows_of.data());
      mix(weights, rows_of.data(), cache.dim, num, part.sums.data());
    }
  }

  // The parts of one bundle, relative to the largest score of all of them.
  void join(int64_t row, int64_t group, int64_t number, const Part* parts, int64_t count) const {
    const auto [first, num_heads] = bundle(group, number);
    for (int h = 0; h < num_heads; ++h) {
      float largest = -INFINITY, weight = 0.0f;
      for (int64_t p = 0; p < count; ++p) largest = std::max(largest, parts[p].largest[h]);
      std::vector<float> shares(count);
      for (int64_t p = 0; p < count; ++p) {
        shares[p] = exponential(parts[p].largest[h] - largest);
        weight += parts[p].weight[h] * shares[p];
      }
      for (int64_t d = 0; d < cache.dim; ++d) {
        float sum = 0.0f;
        for (int64_t p = 0; p < count; ++p) sum += parts[p].sums[d * kLanes + h] * shares[p];
        narrow(sum / weight, out + (row * heads + first + h) * cache.dim + d);
      }
    }
  }

  void run(int num_threads) const {
    struct Item {
      int64_t row, group, number, start;
    };
    std::vector<Item> items;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t group = 0; group < cache.groups; ++group)
        for (int64_t number = 0; number < bundles(); ++number)
          for (int64_t start = 0; start < cache.lengths[row]; start += kPart)
            items.push_back({row, group, number, start});
    std::vector<Part> parts(items.size());
    std::atomic<int> failed{0};
    helping::Team::shared().run(items.size(), num_threads, [&](int64_t i) {
      // Caught on the thread it is thrown on, which may be another one than the caller's.
      failed |= status_of([&] {
        sum_part(items[i].row, items[i].group, items[i].number, items[i].start, parts[i]);
      });
    });
    if (failed) throw std::bad_alloc();
    for (size_t i = 0; i < items.size();) {
      const int64_t count = (cache.lengths[items[i].row] + kPart - 1) / kPart;
      join(items[i].row, items[i].group, items[i].number, &parts[i], count);
      i += count;
    }
  }
};

template <class Value>
void attend(const void* query, const void* keys, const void* values, const Cache& cache,
            int64_t rows, int64_t heads, void* out, int num_threads) {
  Attention<Value>{static_cast<const Value*>(query), static_cast<const Value*>(keys),
                   static_cast<const Value*>(values), cache, rows, heads,
                   static_cast<Value*>(out)}
      .run(num_threads);
}

}  // namespace

// query and out (B, H, D), keys and values (pages, page_tokens, G, D): all bfloat16, or float32.
// Returns a status (numbers.h).
extern "C" int attend_pages(const void* query, const void* keys, const void* values,
                            int is_bfloat16, const int32_t* tables, int64_t stride,
                            const int32_t* lengths, int64_t rows, int64_t heads, int64_t groups,
                            int64_t dim, int64_t page_tokens, void* out, int num_threads) {
  const Cache cache{tables, lengths, stride, page_tokens, groups, dim};
  return status_of([&] {
    if (is_bfloat16) attend<BFloat16>(query, keys, values, cache, rows, heads, out, num_threads);
    else attend<float>(query, keys, values, cache, rows, heads, out, num_threads);
  });
}
