// Finds the tabs and line feeds of a text, in order, 64 bytes at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__) && !defined(MEPROP_PLAIN_SEPARATORS)
#include <emmintrin.h>
#endif

namespace meprop {

class Separators {
 public:
    Separators(const char* text, std::int64_t bytes) : text_(text), bytes_(bytes) {}

    // The offset of the next tab or line feed, or the size of the text if there is none.
    std::int64_t next() {
        while (pending_ == 0) {
            if (loaded_ >= bytes_)
                return bytes_;
            load();
        }
        const int bit = std::countr_zero(pending_);
        pending_ &= pending_ - 1;
        return loaded_ - 64 + bit;
    }

    // Whether the text so far has carriage returns or NUL bytes, and whether it has non-ASCII
    // bytes.
    bool has_unusual() const { return unusual_; }
    bool has_high() const { return high_; }

 private:
    void load() {
        if (bytes_ - loaded_ >= 64) {
            scan(text_ + loaded_);
        } else {
            char last[64]; // padded with spaces
            std::memset(last, ' ', sizeof last);
            std::memcpy(last, text_ + loaded_, static_cast<std::size_t>(bytes_ - loaded_));
            scan(last);
        }
        loaded_ += 64;
    }

#if defined(__SSE2__) && !defined(MEPROP_PLAIN_SEPARATORS)
    void scan(const char* block) {
        const __m128i tab = _mm_set1_epi8('\t'), feed = _mm_set1_epi8('\n');
        const __m128i carriage = _mm_set1_epi8('\r'), nul = _mm_setzero_si128();
        __m128i unusual = nul, high = nul;
        pending_ = 0;
        for (int i = 0; i < 4; ++i) {
            const __m128i part =
                _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + std::ptrdiff_t{16} * i));
            const __m128i found = _mm_or_si128(_mm_cmpeq_epi8(part, tab), //
                                               _mm_cmpeq_epi8(part, feed));
            const auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(found));
            pending_ |= static_cast<std::uint64_t>(mask) << (16 * i);
            unusual = _mm_or_si128(unusual, _mm_cmpeq_epi8(part, carriage));
            unusual = _mm_or_si128(unusual, _mm_cmpeq_epi8(part, nul));
            high = _mm_or_si128(high, part);
        }
        unusual_ |= _mm_movemask_epi8(unusual) != 0;
        high_ |= _mm_movemask_epi8(high) != 0;
    }
#else
    void scan(const char* block) {
        pending_ = 0;
        for (int i = 0; i < 64; ++i) {
            const auto byte = static_cast<unsigned char>(block[i]);
            pending_ |= static_cast<std::uint64_t>(byte == '\t' || byte == '\n') << i;
            unusual_ |= byte == '\r' || byte == 0;
            high_ |= byte >= 0x80;
        }
    }
#endif

    const char* text_;
    std::int64_t bytes_;
    std::int64_t loaded_ = 0;   // bytes scanned
    std::uint64_t pending_ = 0; // separators of the last 64 bytes, not yet returned
    bool unusual_ = false;
    bool high_ = false;
};

} // namespace meprop
