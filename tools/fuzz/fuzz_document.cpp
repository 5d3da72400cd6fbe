// A libFuzzer target: arbitrary bytes go through the reader, and clean text through the writer. Of
// each form, the n-grams are hashed.
//
// The first byte chooses the layout and the changes; the other bytes are the text.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "document/document.hpp"
#include "document/rewriting.hpp"
#include "forms/ngrams.hpp"

namespace {

using meprop::Changes;
using meprop::Document;

void require(bool holds) {
    if (!holds)
        std::abort();
}

bool read(Document& document, std::string_view text, bool is_conllu, int columns) {
    document.text = text.data();
    document.bytes = static_cast<std::int64_t>(text.size());
    document.is_conllu = is_conllu;
    document.columns = columns;
    return meprop::read_document(document);
}

std::string written(const Document& document, const Changes& changes) {
    const auto bound = static_cast<std::size_t>(meprop::output_bound(document, changes));
    const std::unique_ptr<char[]> output(new char[bound]);
    char* end = meprop::write_document(document, changes, output.get());
    require(end <= output.get() + bound);
    return {output.get(), end};
}

void check_fields(const Document& document) {
    require(document.sentences.front() == 0);
    require(document.fields.size() ==
            static_cast<std::size_t>(document.n_words() * (document.columns + 1)));
    std::uint32_t before = 0;
    for (std::int64_t word = 0; word < document.n_words(); ++word) {
        require(document.word(word)[0] >= before);
        for (int column = 0; column < document.columns; ++column) {
            const std::uint32_t end = document.word(word)[column + 1];
            require(end > document.word(word)[column] && end <= document.bytes);
            require(document.text[end - 1] == (column + 1 < document.columns ? '\t' : '\n'));
            before = end;
        }
        require(!document.field(word, 1).empty());
    }
}

void check_ngrams(const Document& document) {
    std::vector<std::uint32_t> rows;
    for (std::int64_t word = 0; word < document.n_words(); ++word) {
        rows.clear();
        meprop::hash_ngrams(document.field(word, 1), 1, 4, 40, 97, rows);
        require(!rows.empty() && rows.size() <= 40);
        require(std::all_of(rows.begin(), rows.end(), [](std::uint32_t row) { return row < 97; }));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0)
        return 0;
    const unsigned choice = bytes[0];
    // a copy of exactly this size, so that a read beyond its end is detected
    const std::unique_ptr<char[]> copy(new char[size - 1]);
    std::copy(bytes + 1, bytes + size, copy.get());
    const std::string_view text(copy.get(), size - 1);

    const bool is_conllu = choice % 3 == 0;
    const int columns = choice % 3 == 2 ? 8 : 10;
    Document document{};
    if (!read(document, text, is_conllu, columns))
        return 0;
    check_fields(document);
    check_ngrams(document);
    require(written(document, {}) == text);

    const auto n = static_cast<std::size_t>(document.n_words());
    std::vector<std::int32_t> ids(n), heads(n);
    std::vector<float> values(n);
    for (std::int64_t s = 0; s < document.n_sentences(); ++s) {
        const auto first =
            static_cast<std::size_t>(document.sentences[static_cast<std::size_t>(s)]);
        const auto last =
            static_cast<std::size_t>(document.sentences[static_cast<std::size_t>(s) + 1]);
        for (std::size_t word = first; word < last; ++word) {
            ids[word] = static_cast<std::int32_t>(word * choice % 3);
            heads[word] = static_cast<std::int32_t>(word * choice % (last - first + 2)) - 1;
            values[word] = static_cast<float>(word * choice % 1000001);
        }
    }
    Changes changes;
    if (choice & 8)
        changes.texts.push_back({7, {"root", "a|b", "of twenty-nine bytes, or more"}, ids.data()});
    if (choice & 16)
        changes.texts.push_back({1, {"w", "x", "of twenty-nine bytes, or more"}, ids.data()});
    if (choice & 32)
        changes.heads = heads.data();
    if (is_conllu) {
        changes.deps = static_cast<meprop::Deps>((choice >> 6) % 3);
        changes.attributes = {{"p", values.data()}, {"arc", values.data()}};
    } else {
        changes.empty_misc = choice & 64;
    }
    const std::string changed = written(document, changes);
    Document again{};
    require(read(again, changed, is_conllu, columns));
    require(again.sentences == document.sentences);
    // applying the changes a second time has no effect
    require(written(again, changes) == changed);
    return 0;
}
