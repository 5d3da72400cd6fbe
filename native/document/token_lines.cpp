#include "document/token_lines.hpp"

#include <charconv>

namespace meprop {
namespace {

constexpr std::string_view kEmptyColumns = "\t_\t_\t_\t_\t_\t_\t_\t"; // LEMMA to DEPS
constexpr std::string_view kNoSpace = "SpaceAfter=No", kOneSpace = "_";

class TokenLines {
 public:
    TokenLines(const FoundTokens& found, const std::vector<TokenDetail>& details, std::string& out)
        : found_(found), detail_(details.data()), details_end_(detail_ + details.size()),
          out_(out) {}

    void append() {
        std::int64_t token = 0, place = 0;
        for (std::int64_t sentence = 0; sentence < found_.n_sentences; ++sentence) {
            const std::int64_t last = found_.sentence_lasts[sentence];
            if (found_.begins_paragraph[sentence])
                out_ += "# newpar\n";
            out_ += "# text = ";
            put_characters(place, found_.lasts[last]);
            out_ += '\n';
            std::int64_t id = 1;
            for (; token <= last; ++token) {
                id = put_token(token, place, id);
                place = found_.lasts[token] + 1;
            }
            out_ += '\n';
        }
    }

 private:
    // Returns the ID of the next word.
    std::int64_t put_token(std::int64_t token, std::int64_t place, std::int64_t id) {
        static const TokenDetail kUsual{};
        const bool has_detail = detail_ != details_end_ && detail_->token == token;
        const TokenDetail& detail = has_detail ? *detail_++ : kUsual;
        put_number(id);
        if (!detail.words.empty()) {
            out_ += '-';
            put_number(id + static_cast<std::int64_t>(detail.words.size()) - 1);
        }
        out_ += '\t';
        put_characters(place, found_.lasts[token]);
        out_ += kEmptyColumns;
        out_ += detail.misc.empty() ? usual_misc(found_.lasts[token]) : detail.misc;
        out_ += '\n';
        for (const std::string_view word : detail.words) {
            put_number(id++);
            out_ += '\t';
            out_ += word;
            out_ += kEmptyColumns;
            out_ += "_\n";
        }
        return detail.words.empty() ? id + 1 : id;
    }

    std::string_view usual_misc(std::int64_t last) const {
        const std::int64_t after = found_.places[last] + 1;
        const std::int64_t next =
            last + 1 < found_.n_places ? found_.places[last + 1] : found_.n_codes;
        return after == next ? kNoSpace : kOneSpace;
    }

    // Puts the characters of some places, with one space for any white space between them.
    void put_characters(std::int64_t first, std::int64_t last) {
        put_character(found_.codes[found_.places[first]]);
        for (std::int64_t i = first + 1; i <= last; ++i) {
            if (found_.places[i] - found_.places[i - 1] > 1)
                out_ += ' ';
            put_character(found_.codes[found_.places[i]]);
        }
    }

    void put_character(std::uint32_t code) {
        const auto byte = [this](std::uint32_t value) { out_ += static_cast<char>(value); };
        if (code < 0x80) {
            byte(code);
            return;
        }
        if (code < 0x800) {
            byte(0xC0 | code >> 6);
        } else {
            if (code < 0x10000) {
                byte(0xE0 | code >> 12);
            } else {
                byte(0xF0 | code >> 18);
                byte(0x80 | (code >> 12 & 0x3F));
            }
            byte(0x80 | (code >> 6 & 0x3F));
        }
        byte(0x80 | (code & 0x3F));
    }

    void put_number(std::int64_t number) {
        char digits[20];
        out_.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
    }

    const FoundTokens& found_;
    const TokenDetail *detail_, *details_end_;
    std::string& out_;
};

} // namespace

void append_token_lines(const FoundTokens& found, const std::vector<TokenDetail>& details,
                        std::string& out) {
    TokenLines(found, details, out).append();
}

} // namespace meprop
