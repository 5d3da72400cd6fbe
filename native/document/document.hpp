// CoNLL text with the position of every field, for text without any fault.
//
// `read_document` accepts only text that data/conll/block.py reads without an error and writes back
// unchanged. All other text is left to block.py and its error messages.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace meprop {

struct Document {
    const char* text; // not owned
    std::int64_t bytes;
    int columns;    // 10, or 8 in CoNLL-X
    bool is_conllu; // false: CoNLL-X

    // For each word, columns + 1 offsets into the text: the starts of its fields, and the start of
    // the next line. A field ends one byte before the next one starts: at its tab or line feed.
    std::vector<std::uint32_t> fields;
    // The first word of each sentence, followed by the number of words.
    std::vector<std::int32_t> sentences;
    // For each sentence, whether it has an enhanced graph: a value in DEPS, or an empty node.
    std::vector<bool> enhanced;

    std::int64_t n_words() const { return sentences.empty() ? 0 : sentences.back(); }
    std::int64_t n_sentences() const {
        return sentences.empty() ? 0 : static_cast<std::int64_t>(sentences.size()) - 1;
    }
    // The columns + 1 offsets of a word.
    const std::uint32_t* word(std::int64_t word) const {
        return fields.data() + word * (columns + 1);
    }
    std::string_view field(std::int64_t at, int column) const {
        const std::uint32_t* starts = word(at);
        return {text + starts[column], starts[column + 1] - starts[column] - 1};
    }
};

constexpr std::int64_t kMaxDocumentBytes = std::int64_t{1} << 30;

// Fills the document, whose text, bytes, columns and is_conllu are set. Returns false if the text
// is not clean; the document must not be used then.
//
// Clean text is UTF-8 without NUL, with lines that end with LF. Every block has at least one word
// and is followed by one empty line; there are no other empty lines. Ids count from 1 in each
// block, all word lines have the same number of columns, FORM contains more than spaces, and HEAD
// is `_`, 0 or the id of a word. In CoNLL-U, multiword tokens and empty nodes are in their proper
// positions.
bool read_document(Document& document);

} // namespace meprop
