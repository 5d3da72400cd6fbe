#include "document/rewriting.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

namespace meprop {
namespace {

constexpr int kHead = 6, kDeprel = 7, kDeps = 8, kMisc = 9;
constexpr std::int64_t kLongestNumber = 11; // bytes of a head
constexpr std::int64_t kLongestValue = 14;  // |, =, 1000000.0000

// Most fields are so short that calling memcpy would take longer than copying them.
char* put(char* out, const char* from, std::size_t size) {
    if (size > 16) {
        std::memcpy(out, from, size);
    } else if (size >= 8) {
        std::uint64_t first, last;
        std::memcpy(&first, from, 8);
        std::memcpy(&last, from + size - 8, 8);
        std::memcpy(out, &first, 8);
        std::memcpy(out + size - 8, &last, 8);
    } else {
        for (std::size_t i = 0; i < size; ++i)
            out[i] = from[i];
    }
    return out + size;
}

char* put(char* out, std::string_view text) {
    return put(out, text.data(), text.size());
}

char* put_head(char* out, std::int32_t head) {
    if (head >= 0)
        return std::to_chars(out, out + kLongestNumber, head).ptr;
    *out = '_';
    return out + 1;
}

// Writes four decimals, rounded as Python's format rounds them: the product is exact.
char* put_value(char* out, float value) {
    const auto units = static_cast<std::int64_t>(std::nearbyint(10000.0 * value));
    out = std::to_chars(out, out + kLongestValue, units / 10000).ptr;
    *out++ = '.';
    std::int64_t rest = units % 10000;
    for (int digit = 3; digit >= 0; --digit, rest /= 10)
        out[digit] = static_cast<char>('0' + rest % 10);
    return out + 4;
}

// A column to rewrite, and its new text if there is one; otherwise the changes say what to write.
struct Plan {
    int column;
    const TextEdit* text;
};

class Writer {
 public:
    Writer(const Document& document, const Changes& changes)
        : document_(document), changes_(changes) {
        const TextEdit* by_column[10] = {};
        for (const TextEdit& edit : changes.texts)
            by_column[edit.column] = &edit;
        deprels_ = by_column[kDeprel];
        for (int column = 1; column < document.columns; ++column) {
            const bool changed = by_column[column] != nullptr ||
                                 (column == kHead && changes.heads != nullptr) ||
                                 (column == kDeps && changes.deps != Deps::keep) ||
                                 (column == kMisc && changes.empty_misc) ||
                                 (column == kMisc && !changes.attributes.empty());
            if (changed)
                plans_[n_plans_++] = {column, by_column[column]};
        }
    }

    char* write(char* out) const {
        const char* text = document_.text;
        std::uint32_t copied = 0; // bytes of the text that are copied or replaced
        const std::int64_t n = n_plans_ == 0 ? 0 : document_.n_words();
        std::size_t sentence = 0;
        for (std::int64_t word = 0; word < n; ++word) {
            while (word == document_.sentences[sentence + 1])
                ++sentence;
            const std::uint32_t* starts = document_.word(word);
            for (int i = 0; i < n_plans_; ++i) {
                const Plan& plan = plans_[i];
                out = put(out, text + copied, starts[plan.column] - copied);
                out = put_column(out, word, sentence, plan);
                copied = starts[plan.column + 1] - 1;
            }
        }
        const auto remaining = static_cast<std::size_t>(document_.bytes) - copied;
        if (remaining > 0)
            std::memcpy(out, text + copied, remaining);
        return out + remaining;
    }

 private:
    char* put_column(char* out, std::int64_t word, std::size_t sentence, const Plan& plan) const {
        if (plan.text != nullptr)
            return put_text(out, word, *plan.text);
        if (plan.column == kHead)
            return put_head(out, changes_.heads[word]);
        if (plan.column == kMisc && !changes_.empty_misc)
            return put_misc(out, word);
        if (plan.column == kDeps && changes_.deps == Deps::tree && document_.enhanced[sentence])
            return put_arc(out, word);
        *out = '_';
        return out + 1;
    }

    static char* put_text(char* out, std::int64_t word, const TextEdit& edit) {
        return put(out, edit.table[static_cast<std::size_t>(edit.ids[word])]);
    }

    // HEAD:DEPREL, or `_` without a head.
    char* put_arc(char* out, std::int64_t word) const {
        const char* start = out;
        out = changes_.heads != nullptr ? put_head(out, changes_.heads[word])
                                        : put(out, document_.field(word, kHead));
        if (*start == '_')
            return out;
        *out++ = ':';
        return deprels_ != nullptr ? put_text(out, word, *deprels_)
                                   : put(out, document_.field(word, kDeprel));
    }

    // The word's old attributes, except those with new values, followed by the new attributes.
    char* put_misc(char* out, std::int64_t word) const {
        const char* start = out;
        const std::string_view misc = document_.field(word, kMisc);
        for (std::size_t at = 0; misc != "_" && at < misc.size();) {
            const std::size_t end = std::min(misc.find('|', at), misc.size());
            const std::string_view attribute = misc.substr(at, end - at);
            at = end + 1;
            if (attribute.empty() || is_replaced(attribute))
                continue;
            if (out != start)
                *out++ = '|';
            out = put(out, attribute);
        }
        for (const Attribute& attribute : changes_.attributes) {
            if (out != start)
                *out++ = '|';
            out = put(out, attribute.name);
            *out++ = '=';
            out = put_value(out, attribute.values[word]);
        }
        return out;
    }

    bool is_replaced(std::string_view attribute) const {
        const std::string_view name = attribute.substr(0, attribute.find('='));
        return std::any_of(changes_.attributes.begin(), changes_.attributes.end(),
                           [=](const Attribute& other) { return other.name == name; });
    }

    const Document& document_;
    const Changes& changes_;
    const TextEdit* deprels_ = nullptr;
    Plan plans_[10]; // in column order
    int n_plans_ = 0;
};

} // namespace

std::int64_t output_bound(const Document& document, const Changes& changes) {
    const std::int64_t n = document.n_words();
    std::int64_t of_word = 2; // `_` in DEPS and MISC
    if (changes.heads != nullptr)
        of_word += kLongestNumber;
    if (changes.deps == Deps::tree)
        of_word += kLongestNumber + 1;
    for (const Attribute& attribute : changes.attributes)
        of_word += static_cast<std::int64_t>(attribute.name.size()) + kLongestValue;
    std::int64_t bound = document.bytes + n * of_word;
    for (const TextEdit& edit : changes.texts) {
        const int times = edit.column == kDeprel && changes.deps == Deps::tree ? 2 : 1;
        for (std::int64_t word = 0; word < n; ++word) {
            const std::string_view text = edit.table[static_cast<std::size_t>(edit.ids[word])];
            bound += times * static_cast<std::int64_t>(text.size());
        }
    }
    if (changes.deps == Deps::tree)
        bound += document.bytes; // the old deprels once more
    return bound;
}

char* write_document(const Document& document, const Changes& changes, char* out) {
    return Writer(document, changes).write(out);
}

} // namespace meprop
