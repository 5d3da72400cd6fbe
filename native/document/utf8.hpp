// Checks for UTF-8 as Python decodes it: no overlong forms, no surrogates, at most U+10FFFF.
#pragma once

#include <cstdint>
#include <cstring>

namespace meprop {

// The length of the multi-byte character at p, or 0 if there is none.
inline int utf8_length(const unsigned char* p, const unsigned char* end) {
    const int first = *p;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    const int length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (end - p < length)
        return 0;
    // the second byte rules out overlong forms, surrogates and code points above U+10FFFF
    const int low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const int high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high)
        return 0;
    for (int i = 2; i < length; ++i) {
        if (p[i] < 0x80 || p[i] > 0xBF)
            return 0;
    }
    return length;
}

inline bool is_utf8(const char* text, std::int64_t bytes) {
    const auto* p = reinterpret_cast<const unsigned char*>(text);
    const auto* end = p + bytes;
    while (p < end) {
        std::uint64_t eight;
        if (end - p >= 8 && (std::memcpy(&eight, p, 8), eight & 0x8080808080808080u) == 0) {
            p += 8;
            continue;
        }
        while (p < end && *p < 0x80)
            ++p;
        while (p < end && *p >= 0x80) {
            const int length = utf8_length(p, end);
            if (length == 0)
                return false;
            p += length;
        }
    }
    return true;
}

} // namespace meprop
