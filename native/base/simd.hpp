// Vectors as wide as the registers of one instruction set, using the vector extension of GCC and
// Clang.
//
// Kernels include this header. They are compiled once per instruction set, each time in a different
// namespace MEPROP_ISA. They must not use templates of the standard library: the linker would keep
// one instance for all sets, possibly one that this processor cannot run.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) || defined(__AVX2__) || defined(__SSE2__)
#include <immintrin.h>
#endif

namespace meprop::MEPROP_ISA {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

// The signed integer of the same size as a float or double. Magnitudes compare like their bits.
template <class T>
struct BitsOf;
template <>
struct BitsOf<float> {
    using type = std::int32_t;
    static constexpr type magnitude = 0x7fffffff;
    static constexpr type infinity = 0x7f800000;
    static constexpr int mantissa = 23;
};
template <>
struct BitsOf<double> {
    using type = std::int64_t;
    static constexpr type magnitude = 0x7fffffffffffffff;
    static constexpr type infinity = 0x7ff0000000000000;
    static constexpr int mantissa = 52;
};
template <class T>
using Bits = typename BitsOf<T>::type;

template <class T>
struct VectorOf {
    typedef T type __attribute__((vector_size(kVectorBytes)));
    typedef T unaligned __attribute__((vector_size(kVectorBytes), aligned(sizeof(T)), may_alias));
};
template <class T>
using Vector = typename VectorOf<T>::type;

template <class T>
constexpr std::int64_t kLanes = kVectorBytes / static_cast<int>(sizeof(T));

template <class T>
inline Vector<T> load(const T* p) {
    return *reinterpret_cast<const typename VectorOf<T>::unaligned*>(p);
}

template <class T>
inline void store(T* p, Vector<T> v) {
    *reinterpret_cast<typename VectorOf<T>::unaligned*>(p) = v;
}

template <class T>
inline bool is_aligned(const T* p) {
    return reinterpret_cast<std::uintptr_t>(p) % kVectorBytes == 0;
}

// Whether `stream` bypasses the caches; without AVX it is a plain store.
#if defined(__AVX512F__) || defined(__AVX2__)
template <class T>
constexpr bool kCanStream = true;
#else
template <class T>
constexpr bool kCanStream = false;
#endif

// p must be aligned to a vector.
template <class T>
inline void stream(T* p, Vector<T> v) {
#if defined(__AVX512F__)
    _mm512_stream_si512((__m512i*)p, (__m512i)v);
#elif defined(__AVX2__)
    _mm256_stream_si256((__m256i*)p, (__m256i)v);
#else
    store(p, v);
#endif
}

template <class T>
inline Vector<T> splat(T x) {
    return x - Vector<T>{};
}

// Bit i is set where a[i] >= b[i]; both signed.
inline std::uint32_t at_least(Vector<std::int32_t> a, Vector<std::int32_t> b) {
#if defined(__AVX512F__)
    return _mm512_cmpge_epi32_mask((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return static_cast<std::uint32_t>(_mm256_movemask_ps((__m256)(a >= b)));
#elif defined(__SSE2__)
    return static_cast<std::uint32_t>(_mm_movemask_ps((__m128)(a >= b)));
#else
    std::uint32_t mask = 0;
    for (int i = 0; i < kLanes<std::int32_t>; ++i)
        mask |= std::uint32_t{a[i] >= b[i]} << i;
    return mask;
#endif
}

inline std::uint32_t at_least(Vector<std::int64_t> a, Vector<std::int64_t> b) {
#if defined(__AVX512F__)
    return _mm512_cmpge_epi64_mask((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return static_cast<std::uint32_t>(_mm256_movemask_pd((__m256d)(a >= b)));
#else
    std::uint32_t mask = 0;
    for (int i = 0; i < kLanes<std::int64_t>; ++i)
        mask |= std::uint32_t{a[i] >= b[i]} << i;
    return mask;
#endif
}

// Bit i is set where a[i] == b[i].
inline std::uint32_t equal_lanes(Vector<float> a, Vector<float> b) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_EQ_OQ);
#elif defined(__AVX2__)
    return static_cast<std::uint32_t>(_mm256_movemask_ps((__m256)(a == b)));
#elif defined(__SSE2__)
    return static_cast<std::uint32_t>(_mm_movemask_ps((__m128)(a == b)));
#else
    std::uint32_t mask = 0;
    for (int i = 0; i < kLanes<float>; ++i)
        mask |= std::uint32_t{a[i] == b[i]} << i;
    return mask;
#endif
}

inline std::uint32_t equal_lanes(Vector<double> a, Vector<double> b) {
#if defined(__AVX512F__)
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_EQ_OQ);
#elif defined(__AVX2__)
    return static_cast<std::uint32_t>(_mm256_movemask_pd((__m256d)(a == b)));
#else
    std::uint32_t mask = 0;
    for (int i = 0; i < kLanes<double>; ++i)
        mask |= std::uint32_t{a[i] == b[i]} << i;
    return mask;
#endif
}

#if defined(__AVX2__) && !defined(__AVX512F__)
// For each byte, the numbers of its set bits, one byte each.
struct SetBits {
    std::uint64_t of[256];

    constexpr SetBits() : of() {
        for (int mask = 0; mask < 256; ++mask) {
            for (int bit = 7; bit >= 0; --bit) {
                if (mask >> bit & 1)
                    of[mask] = of[mask] << 8 | static_cast<std::uint64_t>(bit);
            }
        }
    }
};
inline constexpr SetBits kSetBits;
#endif

// `write_lane_indices` writes whole vectors: its output needs room for this many extra indices.
constexpr std::int64_t kSpareIndices = kLanes<std::int32_t>;

// Writes `first` plus the lane number of each set bit of the mask to consecutive `indices`; returns
// their count.
template <class I>
inline int write_lane_indices(std::int32_t* indices, std::uint32_t mask, std::int32_t first) {
#if defined(__AVX512F__)
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i index = _mm512_add_epi32(lanes, _mm512_set1_epi32(first));
    _mm512_storeu_si512(indices, _mm512_maskz_compress_epi32(static_cast<__mmask16>(mask), index));
    return __builtin_popcount(mask);
#elif defined(__AVX2__)
    if (mask == 0)
        return 0;
    const auto set = static_cast<long long>(kSetBits.of[mask]);
    const __m256i lanes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(set));
    _mm256_storeu_si256((__m256i*)indices, _mm256_add_epi32(lanes, _mm256_set1_epi32(first)));
    return __builtin_popcount(mask);
#else
    int n = 0;
    for (; mask; mask &= mask - 1)
        indices[n++] = first + __builtin_ctz(mask);
    return n;
#endif
}

// x, but not below `low` nor above `high`; both if x is no number.
inline Vector<float> clamped(Vector<float> x, float low, float high) {
#if defined(__AVX512F__)
    // with a mask, as GCC 12 warns of its own header without one
    constexpr __mmask16 all = 0xffff;
    return _mm512_maskz_min_ps(all, _mm512_maskz_max_ps(all, x, splat(low)), splat(high));
#elif defined(__AVX2__)
    return _mm256_min_ps(_mm256_max_ps(x, splat(low)), splat(high));
#else
    x = x > low ? x : splat(low);
    return x < high ? x : splat(high);
#endif
}

#if defined(__AVX512F__) || defined(__AVX2__)
// The nearest whole numbers; halves go to even ones.
inline Vector<std::int32_t> nearest(Vector<float> x) {
#if defined(__AVX512F__)
    return (Vector<std::int32_t>)_mm512_maskz_cvtps_epi32(0xffff, x);
#else
    return (Vector<std::int32_t>)_mm256_cvtps_epi32(x);
#endif
}

// The lowest byte of each lane.
inline void store_low_bytes(std::uint8_t* p, Vector<std::int32_t> x) {
#if defined(__AVX512F__)
    _mm_storeu_si128((__m128i*)p, _mm512_maskz_cvtepi32_epi8(0xffff, (__m512i)x));
#else
    const __m256i first =
        _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 4, 8, 12,
                         -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    const __m256i bytes = _mm256_shuffle_epi8((__m256i)x, first);
    const __m128i both =
        _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
    _mm_storel_epi64((__m128i*)p, both);
#endif
}
#endif

template <class T>
inline T smaller(T a, T b) {
    return b < a ? b : a;
}

template <class T>
inline T larger(T a, T b) {
    return a < b ? b : a;
}

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}

} // namespace meprop::MEPROP_ISA
