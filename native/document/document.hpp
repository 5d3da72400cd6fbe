// CoNLL text with the place of every field, for text that is exactly as it should be.
//
// `read_document` takes only what data/conll/block.py reads without a fault and writes back
// unchanged: all else is left to it, and to its messages.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace meprop {

struct Document {
    const char* text; // not owned
    std::int64_t bytes;
    int columns;    // 10, or 8 in CoNLL-X
    bool is_conllu; // or CoNLL-X

    // Of each word columns + 1 offsets into the text: where its fields start, and where the next
    // line starts. A field ends one byte, its tab or line feed, before the next one starts.
    std::vector<std::uint32_t> fields;
    // The first word of each sentence, and last the number of words.
    std::vector<std::int32_t> sentences;
    bool has_empty_nodes = false;
    bool has_multiword_tokens = false;
    std::int64_t lines = 0;

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

constexpr std::int64_t kMostDocumentBytes = std::int64_t{1} << 30;

// Fills the document, whose text, bytes, columns and kind are given. False where the text is not
// clean: the document is then of no use.
//
// Clean text is UTF-8 without NUL whose lines end with LF. Every block has at least one word and
// one empty line after it; there are no other empty lines. Ids run from 1 in each block, all word
// lines have the same number of columns, FORM is more than spaces, and HEAD is `_` or the id of a
// word or 0. In CoNLL-U multiword tokens and empty nodes stand where they belong.
bool read_document(Document& document);

// Whether a line begins with the id of an empty node, such as 3.1; for text of any kind.
bool has_empty_node(const char* text, std::int64_t bytes);

} // namespace meprop
