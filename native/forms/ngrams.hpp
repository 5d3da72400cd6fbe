// Hashed character n-grams of word forms, as in data/ngrams.py.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace meprop {

// Appends the CRC-32, modulo `rows`, of the n-grams of a text in UTF-8 to `hashes`: those of
// `shortest` characters from left to right, then longer ones, up to `longest`; at most `most`.
void hash_ngrams(std::string_view text, int shortest, int longest, std::int64_t most,
                 std::uint32_t rows, std::vector<std::uint32_t>& hashes);

} // namespace meprop
