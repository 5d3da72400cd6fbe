// Writing a document with some columns of its words changed and all else as it stood.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "document/document.hpp"

namespace meprop {

// New text for one column: of word w, table[ids[w]].
struct TextEdit {
    int column;
    std::vector<std::string_view> table;
    const std::int32_t* ids;
};

// An attribute `name=value` for MISC, the value with four decimals, in the place of one of the same
// name.
struct Attribute {
    std::string_view name;
    const float* values; // 0 to kHighestAttribute
};

constexpr float kHighestAttribute = 1e6f;

enum class Deps {
    keep,
    empty, // `_`
    tree,  // HEAD:DEPREL, as they are written
};

struct Changes {
    std::vector<TextEdit> texts;         // at most one a column; neither ID nor HEAD
    const std::int32_t* heads = nullptr; // where given, HEAD; -1 is written as `_`
    Deps deps = Deps::keep;              // where not keep, no text for DEPS
    bool empty_misc = false;             // MISC becomes `_`; no text and no attributes then
    std::vector<Attribute> attributes;   // no text for MISC then
};

// At least how many bytes `write_document` needs.
std::int64_t output_bound(const Document& document, const Changes& changes);

// Writes to `out`, and returns where it ended. Nothing is checked: bind.cpp does that.
char* write_document(const Document& document, const Changes& changes, char* out);

} // namespace meprop
