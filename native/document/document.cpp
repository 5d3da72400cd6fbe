#include "document/document.hpp"

#include <cstring>

#include "document/separators.hpp"
#include "document/utf8.hpp"

namespace meprop {
namespace {

using Number = std::uint32_t; // at most nine digits

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Reads a number as block.py does: 0, or at most nine digits that do not start with 0.
bool read_number(const char* p, const char* end, Number& number) {
    const auto digits = end - p;
    if (digits < 1 || digits > 9 || (*p == '0' && digits > 1))
        return false;
    number = 0;
    for (; p < end; ++p) {
        if (!is_digit(*p))
            return false;
        number = 10 * number + static_cast<Number>(*p - '0');
    }
    return true;
}

bool is_blank(const char* p, const char* end) {
    while (p < end && *p == ' ')
        ++p;
    return p == end;
}

// Reads one text once.
class Reader {
 public:
    explicit Reader(Document& document)
        : document_(document), separators_(document.text, document.bytes) {}

    bool read() {
        Document& d = document_;
        d.fields.clear();
        d.sentences.assign(1, 0);
        d.enhanced.clear();
        if (d.bytes < 0 || d.bytes > kMaxDocumentBytes)
            return false;
        while (at_ < d.bytes) {
            if (!read_line())
                return false;
        }
        d.fields.resize(used_);
        return !open_ && !separators_.has_unusual() &&
               (!separators_.has_high() || is_utf8(d.text, d.bytes));
    }

 private:
    bool read_line() {
        const char first = document_.text[at_];
        if (first == '\n') {
            separators_.next();
            ++at_;
            return end_block();
        }
        open_ = true;
        if (first == '#')
            return skip_comment();
        if (!is_digit(first) || !find_fields())
            return false;
        return read_word() || read_other();
    }

    // At an empty line: the checks that need the number of words.
    bool end_block() {
        if (words_ == 0 || highest_head_ > words_ || covered_ > words_)
            return false;
        document_.sentences.push_back(document_.sentences.back() +
                                      static_cast<std::int32_t>(words_));
        document_.enhanced.push_back(enhanced_);
        words_ = highest_head_ = covered_ = 0;
        open_ = enhanced_ = false;
        return true;
    }

    bool skip_comment() {
        std::int64_t end = separators_.next();
        while (end < document_.bytes && document_.text[end] != '\n')
            end = separators_.next();
        at_ = end + 1;
        return end < document_.bytes;
    }

    // Writes the starts of the line's fields after those of the last word, and moves to the next
    // line. Returns false if the number of fields is wrong.
    bool find_fields() {
        const auto columns = static_cast<std::size_t>(document_.columns);
        auto& fields = document_.fields;
        if (used_ + columns + 1 > fields.size()) {
            // a line of a treebank has about seventy bytes
            const auto guess = static_cast<std::size_t>(document_.bytes) / 64 * (columns + 1);
            fields.resize(fields.empty() ? guess + 16 * columns : 2 * fields.size());
        }
        starts_ = fields.data() + used_;
        starts_[0] = static_cast<std::uint32_t>(at_);
        for (std::size_t column = 1; column <= columns; ++column) {
            const std::int64_t end = separators_.next();
            const char wanted = column < columns ? '\t' : '\n';
            if (end == document_.bytes || document_.text[end] != wanted)
                return false;
            starts_[column] = static_cast<std::uint32_t>(end + 1);
        }
        at_ = starts_[columns];
        return true;
    }

    const char* start(int column) const { return document_.text + starts_[column]; }
    const char* end(int column) const { return document_.text + starts_[column + 1] - 1; }

    // Returns false if the line is not the next word, or is faulty.
    bool read_word() {
        Number id = 0;
        if (!read_number(start(0), end(0), id) || id != words_ + 1 || is_blank(start(1), end(1)))
            return false;
        if (!(end(6) - start(6) == 1 && *start(6) == '_')) {
            Number head = 0;
            if (!read_number(start(6), end(6), head))
                return false;
            highest_head_ = head > highest_head_ ? head : highest_head_;
        }
        enhanced_ |= document_.is_conllu && !(end(8) - start(8) == 1 && *start(8) == '_');
        ++words_;
        used_ += static_cast<std::size_t>(document_.columns) + 1;
        return true;
    }

    // Reads a multiword token or an empty node. Returns false if the line is neither, or is in the
    // wrong position.
    bool read_other() {
        const char* id = start(0);
        if (!document_.is_conllu)
            return false;
        const char* mark = id;
        while (is_digit(*mark)) // stops at the tab at the latest
            ++mark;
        Number first = 0, second = 0;
        if ((*mark != '-' && *mark != '.') || !read_number(id, mark, first) ||
            !read_number(mark + 1, end(0), second) || second == 0)
            return false;
        if (*mark == '.') {
            enhanced_ = true;
            return first == words_;
        }
        if (second < first || first <= covered_ || first != words_ + 1)
            return false;
        covered_ = second;
        return !is_blank(start(1), end(1));
    }

    Document& document_;
    Separators separators_;
    std::int64_t at_ = 0;             // start of the line
    std::uint32_t* starts_ = nullptr; // starts of the line's fields
    std::size_t used_ = 0;            // entries of `fields` that are final
    // the current block: whether it has any line, and what its words and multiword tokens say
    bool open_ = false;
    bool enhanced_ = false;
    Number words_ = 0;
    Number highest_head_ = 0;
    Number covered_ = 0; // the last word of the last multiword token
};

} // namespace

bool read_document(Document& document) {
    return Reader(document).read();
}

} // namespace meprop
