// Python bindings for reading and writing CoNLL text.
#include "document/held_document.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "document/rewriting.hpp"
#include "document/token_lines.hpp"

namespace meprop::border {
namespace {

std::optional<HeldDocument> read(nb::bytes text, const std::string& kind, int columns) {
    const bool is_conllu = kind == "conllu";
    require(is_conllu || kind == "conllx", "kind must be conllu or conllx");
    require(columns == 10 || (!is_conllu && columns == 8), "columns must be 10, or 8 in conllx");
    HeldDocument held{text, {}};
    held.document.text = text.c_str();
    held.document.bytes = static_cast<std::int64_t>(text.size());
    held.document.columns = columns;
    held.document.is_conllu = is_conllu;
    bool clean = false;
    {
        nb::gil_scoped_release unlocked;
        clean = read_document(held.document);
    }
    if (!clean)
        return std::nullopt;
    return held;
}

nb::list column(const HeldDocument& held, int number) {
    const Document& document = held.document;
    require(number >= 0 && number < document.columns, "there is no such column");
    nb::list values;
    for (std::int64_t word = 0; word < document.n_words(); ++word) {
        const std::string_view field = document.field(word, number);
        values.append(nb::str(field.data(), field.size()));
    }
    return values;
}

// A view that keeps the document alive.
nb::ndarray<nb::numpy, const Index, nb::ndim<1>> sentences(const HeldDocument& held) {
    return {held.document.sentences.data(), {held.document.sentences.size()}};
}

std::string_view view(const nb::bytes& bytes) {
    return {bytes.c_str(), bytes.size()};
}

// The texts that sentence.py refuses in a column.
void require_text(std::string_view text) {
    require(!text.empty(), "a text must not be empty");
    require(text.find_first_of(std::string_view("\t\n\r\0", 4)) == std::string_view::npos,
            "a text must be without tab, line break and NUL");
}

// The changes as Python passes them. They own the arrays and texts, so they must outlive `Changes`.
using Numbers = Row<const Index>;
using Texts = std::vector<std::tuple<int, std::vector<nb::bytes>, Numbers>>;
using Attributes = std::vector<std::pair<nb::bytes, Row<const float>>>;

void require_heads(const Document& document, const Numbers& heads) {
    require(size(heads, 0) == document.n_words(), "heads must have an entry for each word");
    bool in_range = true;
    for (std::int64_t s = 0; s < document.n_sentences(); ++s) {
        const Index first = document.sentences[static_cast<std::size_t>(s)];
        const Index last = document.sentences[static_cast<std::size_t>(s) + 1];
        for (Index word = first; word < last; ++word)
            in_range &= heads.data()[word] >= -1 && heads.data()[word] <= last - first;
    }
    require(in_range, "a head is outside its sentence");
}

TextEdit text_edit(const Document& document, int column, const std::vector<nb::bytes>& table,
                   const Numbers& ids) {
    require(column >= 1 && column < document.columns && column != 6,
            "texts are for columns from FORM on, but not for HEAD");
    require(size(ids, 0) == document.n_words(), "ids must have an entry for each word");
    TextEdit edit{column, {}, ids.data()};
    edit.table.reserve(table.size());
    for (const nb::bytes& text : table) {
        require_text(view(text));
        edit.table.push_back(view(text));
    }
    bool in_range = true;
    for (std::int64_t word = 0; word < document.n_words(); ++word)
        in_range &= static_cast<std::uint32_t>(ids.data()[word]) < table.size();
    require(in_range, "an id is outside its table");
    return edit;
}

Attribute attribute(const Document& document, const nb::bytes& name,
                    const Row<const float>& values) {
    require_text(view(name));
    require(view(name).find_first_of("=|") == std::string_view::npos,
            "the name of an attribute must be without = and |");
    require(size(values, 0) == document.n_words(), "an attribute must have a value for each word");
    bool in_range = true; // false for NaN
    for (std::int64_t word = 0; word < document.n_words(); ++word)
        in_range &= values.data()[word] >= 0 && values.data()[word] <= kHighestAttribute;
    require(in_range, "the value of an attribute must be from 0 to 1000000");
    return {view(name), values.data()};
}

Deps deps_named(const std::string& name) {
    require(name == "keep" || name == "empty" || name == "tree",
            "deps must be keep, empty or tree");
    return name == "keep" ? Deps::keep : name == "empty" ? Deps::empty : Deps::tree;
}

Changes checked(const Document& document, const Texts& texts, const std::optional<Numbers>& heads,
                const std::string& deps, const Attributes& attributes) {
    Changes changes;
    bool edited[10] = {};
    for (const auto& [column, table, ids] : texts) {
        changes.texts.push_back(text_edit(document, column, table, ids));
        require(!edited[column], "two texts for one column");
        edited[column] = true;
    }
    if (heads) {
        require_heads(document, *heads);
        changes.heads = heads->data();
    }
    changes.deps = deps_named(deps);
    require(changes.deps == Deps::keep || !edited[8], "deps and a text for column 8");
    require(changes.deps != Deps::tree || document.is_conllu, "in conllx DEPS has no tree");
    for (const auto& [name, values] : attributes)
        changes.attributes.push_back(attribute(document, name, values));
    require(attributes.empty() || document.is_conllu, "in conllx there are no attributes");
    require(attributes.empty() || !edited[9], "attributes and a text for column 9");
    if (!document.is_conllu && (heads || edited[7])) {
        // PHEAD and PDEPREL described the old tree
        changes.deps = edited[8] ? Deps::keep : Deps::empty;
        changes.empty_misc = !edited[9];
    }
    return changes;
}

nb::bytes write(const HeldDocument& held, const Texts& texts, const std::optional<Numbers>& heads,
                const std::string& deps, const Attributes& attributes) {
    const Document& document = held.document;
    const Changes changes = checked(document, texts, heads, deps, attributes);
    std::unique_ptr<char[]> output;
    std::size_t written = 0;
    {
        nb::gil_scoped_release unlocked;
        const auto bound = static_cast<std::size_t>(output_bound(document, changes));
        output.reset(new char[bound + 1]); // unlike make_unique, does not zero it
        written = static_cast<std::size_t>(write_document(document, changes, output.get()) -
                                           output.get());
    }
    return nb::bytes(output.get(), written);
}

using Places = Row<const std::int64_t>;
using Details = std::vector<std::tuple<std::int64_t, nb::bytes, std::vector<nb::bytes>>>;

// Whether numbers increase, and are from 0 on and below a bound.
bool increase_below(const Places& numbers, std::int64_t bound) {
    const std::int64_t n = size(numbers, 0), *at = numbers.data();
    bool in_order = n == 0 || (at[0] >= 0 && at[n - 1] < bound);
    for (std::int64_t i = 1; i < n; ++i)
        in_order &= at[i - 1] < at[i];
    return in_order;
}

// Checks details, and refers to their texts.
std::vector<TokenDetail> checked_details(const Details& details, std::int64_t tokens) {
    std::vector<TokenDetail> found;
    found.reserve(details.size());
    std::int64_t before = -1;
    for (const auto& [token, misc, words] : details) {
        require(before < token && token < tokens, "details must be of increasing tokens");
        before = token;
        found.push_back({token, view(misc), {}});
        for (const nb::bytes& word : words)
            found.back().words.push_back(view(word));
    }
    return found;
}

nb::bytes write_tokens(Row<const std::uint32_t> codes, Places places, Places lasts,
                       Places sentence_lasts, Row<const Index> begins_paragraph,
                       const Details& details) {
    const std::int64_t tokens = size(lasts, 0), sentences = size(sentence_lasts, 0);
    require(increase_below(places, size(codes, 0)), "places must increase within the text");
    require(increase_below(lasts, size(places, 0)), "tokens must increase within the places");
    require(increase_below(sentence_lasts, tokens), "sentences must increase within the tokens");
    require(size(begins_paragraph, 0) == sentences, "each sentence begins a paragraph or does not");
    const FoundTokens found{codes.data(),          size(codes, 0), places.data(),
                            size(places, 0),       lasts.data(),   tokens,
                            sentence_lasts.data(), sentences,      begins_paragraph.data()};
    const std::vector<TokenDetail> checked = checked_details(details, tokens);
    std::string text;
    {
        const nb::gil_scoped_release unlocked;
        // ten columns of a token, and its form once more in the text of its sentence
        text.reserve(static_cast<std::size_t>(2 * size(codes, 0) + 24 * tokens + 32 * sentences));
        append_token_lines(found, checked, text);
    }
    return nb::bytes(text.data(), text.size());
}

} // namespace

void bind_document(nb::module_& m) {
    nb::class_<HeldDocument>(m, "Document", "CoNLL text with the position of every field.")
        .def_prop_ro("n_words", [](const HeldDocument& d) { return d.document.n_words(); })
        .def_prop_ro("n_sentences", [](const HeldDocument& d) { return d.document.n_sentences(); })
        .def_prop_ro("is_conllu", [](const HeldDocument& d) { return d.document.is_conllu; })
        .def_prop_ro("sentences", &sentences, nb::rv_policy::reference_internal,
                     "The first word of each sentence, followed by the number of words.")
        .def("column", &column, "column"_a, "The values of one column, for all words.");
    m.def("read_document", &read, "text"_a, "kind"_a, "columns"_a,
          "The document, or None if the text is not clean; see native/document/document.hpp.");
    m.def("write_document", &write, "document"_a, "texts"_a.noconvert(),
          "heads"_a.noconvert().none(), "deps"_a, "attributes"_a.noconvert(),
          "The text with some columns changed; see native/document/rewriting.hpp.");
    m.def("write_tokens", &write_tokens, "codes"_a.noconvert(), "places"_a.noconvert(),
          "lasts"_a.noconvert(), "sentence_lasts"_a.noconvert(), "begins_paragraph"_a.noconvert(),
          "details"_a, "Tokens of a text as CoNLL-U; see native/document/token_lines.hpp.");
}

} // namespace meprop::border
