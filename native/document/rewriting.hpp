// Writes a document with some columns of its words changed and everything else unchanged.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "document/document.hpp"

namespace meprop {

// New text for one column: word w gets table[ids[w]].
struct TextEdit {
    int column;
    std::vector<std::string_view> table;
    const std::int32_t* ids;
};

// An attribute `name=value` for MISC, with four decimals. Replaces an attribute of the same name.
struct Attribute {
    std::string_view name;
    const float* values; // 0 to kHighestAttribute
};

constexpr float kHighestAttribute = 1e6f;

enum class Deps {
    keep,
    empty, // `_`
    tree, // HEAD:DEPREL, as written to these columns, in sentences with an enhanced graph; else `_`
};

struct Changes {
    std::vector<TextEdit> texts;         // at most one per column; none for ID and HEAD
    const std::int32_t* heads = nullptr; // new HEADs, or null; -1 is written as `_`
    Deps deps = Deps::keep;              // unless keep, there is no text for DEPS
    bool empty_misc = false;             // MISC becomes `_`; no text for it, no attributes
    std::vector<Attribute> attributes;   // if any, there is no text for MISC
};

// An upper bound of the bytes that `write_document` writes.
std::int64_t output_bound(const Document& document, const Changes& changes);

// Writes to `out` and returns the end of the output. Checks nothing: bind.cpp does that.
char* write_document(const Document& document, const Changes& changes, char* out);

} // namespace meprop
