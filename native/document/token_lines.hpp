// The tokens that a tokenizer found in a text, as CoNLL-U.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meprop {

// Where the tokens of a text stand, and what else is known of some of them.
struct FoundTokens {
    const std::uint32_t* codes; // the code points of the text
    std::int64_t n_codes;
    const std::int64_t* places; // of the n characters that are not white space, among the codes
    std::int64_t n_places;
    const std::int64_t* lasts; // the last character of each token, among the places
    std::int64_t n_tokens;
    const std::int64_t* sentence_lasts; // the last token of each sentence; the last of all ends one
    std::int64_t n_sentences;
    const std::int32_t* begins_paragraph; // not 0 if a sentence does
};

// What is written of a token in place of the usual.
struct TokenDetail {
    std::int64_t token;
    std::string_view misc;               // empty: `_` before one space, SpaceAfter=No before none
    std::vector<std::string_view> words; // of a multiword token; empty: it is one word
};

// Appends the sentences with `# newpar` and `# text`. White space within a token or a sentence
// becomes one space. `details` has increasing tokens. Half of a pair of surrogates becomes three
// bytes, as with Python's `surrogatepass`.
void append_token_lines(const FoundTokens& found, const std::vector<TokenDetail>& details,
                        std::string& out);

} // namespace meprop
