#include "forms/ngrams.hpp"

#include <array>

namespace meprop {

namespace {

constexpr std::array<std::uint32_t, 256> crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
        table[byte] = crc;
    }
    return table;
}

constexpr std::array<std::uint32_t, 256> kCrcTable = crc_table();

std::uint32_t crc32(std::string_view bytes) {
    std::uint32_t crc = ~std::uint32_t{0};
    for (const char byte : bytes)
        crc = kCrcTable[(crc ^ static_cast<unsigned char>(byte)) & 0xff] ^ crc >> 8;
    return ~crc;
}

} // namespace

void hash_ngrams(std::string_view text, int shortest, int longest, std::int64_t most,
                 std::uint32_t rows, std::vector<std::uint32_t>& hashes) {
    std::vector<std::size_t> starts; // of characters
    for (std::size_t i = 0; i < text.size(); ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80)
            starts.push_back(i);
    }
    const std::size_t characters = starts.size();
    starts.push_back(text.size());
    for (std::size_t n = static_cast<std::size_t>(shortest); n <= static_cast<std::size_t>(longest);
         ++n) {
        for (std::size_t i = 0; i + n <= characters && most > 0; ++i, --most)
            hashes.push_back(crc32(text.substr(starts[i], starts[i + n] - starts[i])) % rows);
    }
}

} // namespace meprop
