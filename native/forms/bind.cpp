// Python bindings of what is computed once for each word form.
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <vector>

#include "base/texts.hpp"
#include "dispatch.hpp"
#include "forms/ngrams.hpp"
#include "rows/found_rows.hpp"

namespace meprop::border {
namespace {

// Writes the mean of the rows of `table` that each text's n-grams are hashed to.
void average_ngrams(const nb::list& texts, int shortest, int longest, std::int64_t most,
                    Matrix<const float> table, Matrix<float> means) {
    std::vector<nb::bytes> encoded;
    const std::vector<std::string_view> views = views_of(texts, encoded);
    const std::int64_t width = size(table, 1);
    require(1 <= shortest && shortest <= longest && most >= 1 && size(table, 0) >= 1,
            "there must be n-grams, and rows for them");
    require(has_shape(means, static_cast<std::int64_t>(views.size()), width),
            "means must be (texts, width of the table)");
    const nb::gil_scoped_release release;
    std::vector<std::uint32_t> rows;
    float* mean = means.data();
    for (const std::string_view text : views) {
        rows.clear();
        hash_ngrams(text, shortest, longest, most, static_cast<std::uint32_t>(size(table, 0)),
                    rows);
        std::fill(mean, mean + width, 0.0f);
        for (const std::uint32_t row : rows) {
            const float* values = table.data() + row * width;
            for (std::int64_t j = 0; j < width; ++j)
                mean[j] += values[j];
        }
        for (std::int64_t j = 0; j < width && !rows.empty(); ++j)
            mean[j] /= static_cast<float>(rows.size());
        mean += width;
    }
}

// Numbers the distinct pairs of a row and a script in the order of their first words, and returns
// these.
std::vector<Index> number_pairs(const FoundRows& forms, Row<const Index> scripts,
                                Row<Index> numbers) {
    const std::size_t words = forms.rows.size();
    require(static_cast<std::size_t>(size(scripts, 0)) == words &&
                static_cast<std::size_t>(size(numbers, 0)) == words,
            "there must be a script and a number for each word");
    std::size_t slots = 16;
    while (slots < 2 * words)
        slots *= 2;
    std::vector<Index> table(slots, -1), firsts; // numbers of pairs by hash
    for (std::size_t i = 0; i < words; ++i) {
        const Index script = scripts.data()[i];
        std::size_t hash = reinterpret_cast<std::uintptr_t>(forms.rows[i]) / 64;
        hash = (hash * 1000003 + static_cast<std::uint32_t>(script)) * 0x9e3779b97f4a7c15u >> 20;
        for (std::size_t slot = hash & (slots - 1);; slot = (slot + 1) & (slots - 1)) {
            if (table[slot] < 0) {
                table[slot] = static_cast<Index>(firsts.size());
                firsts.push_back(static_cast<Index>(i));
            }
            const auto first =
                static_cast<std::size_t>(firsts[static_cast<std::size_t>(table[slot])]);
            if (forms.rows[first] == forms.rows[i] && scripts.data()[first] == script) {
                numbers.data()[i] = table[slot];
                break;
            }
        }
    }
    return firsts;
}

} // namespace

void bind_forms(nb::module_& m) {
    m.def("average_ngrams", &average_ngrams, "texts"_a, "shortest"_a, "longest"_a, "most"_a,
          "table"_a.noconvert(), "means"_a.noconvert());
    m.def("number_pairs_of_forms", &number_pairs, "forms"_a, "scripts"_a.noconvert(),
          "numbers"_a.noconvert(), nb::call_guard<nb::gil_scoped_release>());
}

} // namespace meprop::border
