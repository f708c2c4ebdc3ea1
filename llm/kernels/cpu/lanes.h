// Sixteen lanes of int32 or float32, one per weight row, for three instruction sets.
// Knows registers only. All three give the same bits: sums of products are exact in int32, and
// the one rounding per group is an IEEE fused multiply-add everywhere.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

inline void prefetch(const void* p) { __builtin_prefetch(p, 0, 0); }

// kTokens x kStrip is the tile of partial sums that fits the register file of the machine.
#if defined(__AVX512VNNI__)

constexpr int kTokens = 6, kStrip = 4;  // 24 sums + 4 weights + 1 activation of 32 registers
using I32 = __m512i;
using F32 = __m512;
using Bytes = __m512i;  // [16 rows][4 columns] of weights

inline I32 splat_int(int32_t x) { return _mm512_set1_epi32(x); }
inline F32 splat(float x) { return _mm512_set1_ps(x); }
inline Bytes load_bytes(const uint8_t* p) { return _mm512_loadu_si512(p); }
inline I32 splat_quad(const int8_t* p) {
  int32_t quad;
  std::memcpy(&quad, p, 4);
  return _mm512_set1_epi32(quad);
}
inline I32 dot(I32 sum, Bytes weights, I32 quad) {
  // The intrinsic makes GCC copy each sum to the stack and back; the instruction itself does not.
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(weights), "v"(quad));
  return sum;
}
inline F32 to_float(I32 x) { return _mm512_cvtepi32_ps(x); }
inline F32 load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, F32 x) { _mm512_storeu_ps(p, x); }
inline F32 mul(F32 a, F32 b) { return _mm512_mul_ps(a, b); }
inline F32 fma(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
inline F32 load_signed(const uint8_t* p) {  // 16 of int8
  return to_float(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
inline Bytes low_nibbles(Bytes x) { return _mm512_and_si512(x, _mm512_set1_epi8(15)); }
inline Bytes high_nibbles(Bytes x) { return low_nibbles(_mm512_srli_epi16(x, 4)); }

#elif defined(__AVX2__)

constexpr int kTokens = 4, kStrip = 1;  // 8 half sums + 2 weights + temporaries of 16 registers
struct I32 { __m256i a, b; };
struct F32 { __m256 a, b; };
using Bytes = I32;

inline __m256i load256(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
inline I32 splat_int(int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
inline F32 splat(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
inline Bytes load_bytes(const uint8_t* p) { return {load256(p), load256(p + 32)}; }
inline I32 splat_quad(const int8_t* p) {
  int32_t quad;
  std::memcpy(&quad, p, 4);
  return splat_int(quad);
}
inline __m256i dot_half(__m256i sum, __m256i weights, __m256i quad) {
#if defined(__AVXVNNI__)
  return _mm256_dpbusd_avx_epi32(sum, weights, quad);
#else
  // maddubs would saturate at int16, so even and odd bytes are widened and multiplied apart.
  const __m256i even = _mm256_madd_epi16(_mm256_and_si256(weights, _mm256_set1_epi16(255)),
                                         _mm256_srai_epi16(_mm256_slli_epi16(quad, 8), 8));
  const __m256i odd =
      _mm256_madd_epi16(_mm256_srli_epi16(weights, 8), _mm256_srai_epi16(quad, 8));
  return _mm256_add_epi32(sum, _mm256_add_epi32(even, odd));
#endif
}
inline I32 dot(I32 sum, Bytes weights, I32 quad) {
  return {dot_half(sum.a, weights.a, quad.a), dot_half(sum.b, weights.b, quad.b)};
}
inline F32 to_float(I32 x) { return {_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b)}; }
inline F32 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
inline void store(float* p, F32 x) { _mm256_storeu_ps(p, x.a), _mm256_storeu_ps(p + 8, x.b); }
inline F32 mul(F32 x, F32 y) { return {_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)}; }
inline F32 fma(F32 x, F32 y, F32 z) {
  return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}
inline F32 load_signed(const uint8_t* p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return to_float({_mm256_cvtepi8_epi32(bytes), _mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8))});
}
inline Bytes low_nibbles(Bytes x) {
  const __m256i mask = _mm256_set1_epi8(15);
  return {_mm256_and_si256(x.a, mask), _mm256_and_si256(x.b, mask)};
}
inline Bytes high_nibbles(Bytes x) {
  return low_nibbles({_mm256_srli_epi16(x.a, 4), _mm256_srli_epi16(x.b, 4)});
}

#else  // the reference the other two are tested against

constexpr int kTokens = 2, kStrip = 1;
struct I32 { int32_t lane[16]; };
struct F32 { float lane[16]; };
struct Bytes { uint8_t byte[64]; };

template <class To, class Of>
inline To each(Of of) {
  To result;
  for (int i = 0; i < 16; ++i) result.lane[i] = of(i);
  return result;
}
inline I32 splat_int(int32_t x) { return each<I32>([&](int) { return x; }); }
inline F32 splat(float x) { return each<F32>([&](int) { return x; }); }
inline Bytes load_bytes(const uint8_t* p) {
  Bytes result;
  std::memcpy(result.byte, p, 64);
  return result;
}
inline I32 splat_quad(const int8_t* p) {
  int32_t quad;
  std::memcpy(&quad, p, 4);
  return splat_int(quad);
}
inline I32 dot(const I32& sum, const Bytes& weights, const I32& quad) {
  int8_t a[4];
  std::memcpy(a, quad.lane, 4);
  return each<I32>([&](int i) {
    const uint8_t* w = weights.byte + 4 * i;
    return sum.lane[i] + w[0] * a[0] + w[1] * a[1] + w[2] * a[2] + w[3] * a[3];
  });
}
inline F32 to_float(const I32& x) {
  return each<F32>([&](int i) { return static_cast<float>(x.lane[i]); });
}
inline F32 load(const float* p) { return each<F32>([&](int i) { return p[i]; }); }
inline void store(float* p, const F32& x) { std::memcpy(p, x.lane, sizeof x.lane); }
inline F32 mul(const F32& x, const F32& y) {
  return each<F32>([&](int i) { return x.lane[i] * y.lane[i]; });
}
inline F32 fma(const F32& x, const F32& y, const F32& z) {
  return each<F32>([&](int i) { return std::fmaf(x.lane[i], y.lane[i], z.lane[i]); });
}
inline F32 load_signed(const uint8_t* p) {
  return each<F32>([&](int i) { return static_cast<float>(static_cast<int8_t>(p[i])); });
}
inline Bytes low_nibbles(Bytes x) {
  for (uint8_t& byte : x.byte) byte &= 15;
  return x;
}
inline Bytes high_nibbles(Bytes x) {
  for (uint8_t& byte : x.byte) byte >>= 4;
  return x;
}

#endif
