// Python bindings of a linear layer over slots of a table.
#include <nanobind/stl/optional.h>

#include <optional>

#include "base/border.hpp"
#include "dispatch.hpp"

namespace meprop::border {
namespace {

// Checks the arguments of both passes: each number must be a pair of its own slot.
template <class T>
void require_pairs(const Matrix<const T>& vectors, const Matrix<const Index>& pair,
                   const Row<const Index>& first, const Matrix<const T>& weight) {
    const std::int64_t n = size(pair, 0), slots = size(pair, 1), pairs = size(vectors, 0);
    require(size(weight, 1) == slots * size(vectors, 1),
            "weight must have a column per slot and input");
    require(size(first, 0) == slots + 1, "first must have one more entry than slots");
    const Index *begin = first.data(), *entry = pair.data();
    bool rises = begin[0] == 0 && begin[slots] == pairs;
    for (std::int64_t s = 0; s < slots; ++s)
        rises &= begin[s] <= begin[s + 1];
    require(rises, "first must rise from 0 to the number of pairs");
    bool fits = true;
    for (std::int64_t i = 0; i < n; ++i, entry += slots) {
        for (std::int64_t s = 0; s < slots; ++s)
            fits &= begin[s] <= entry[s] && entry[s] < begin[s + 1];
    }
    require(fits, "pair must name pairs of its own slot");
}

template <class T>
void bind(nb::module_& m) {
    m.def(
        "slot_forward",
        [](Matrix<const T> vectors, Matrix<const Index> pair, Row<const Index> first,
           Matrix<const T> weight, std::optional<Row<const T>> bias, Matrix<T> y, int threads) {
            const std::int64_t outs = size(weight, 0);
            require_pairs(vectors, pair, first, weight);
            require(!bias || size(*bias, 0) == outs, "bias must be (O,)");
            require(has_shape(y, size(pair, 0), outs), "y must be (B, O)");
            of<T>(kernels()).slot_forward(vectors.data(), size(vectors, 1), pair.data(),
                                          size(pair, 0), size(pair, 1), first.data(), weight.data(),
                                          bias ? bias->data() : nullptr, outs, y.data(),
                                          checked_threads(threads));
        },
        "vectors"_a.noconvert(), "pair"_a.noconvert(), "first"_a.noconvert(),
        "weight"_a.noconvert(), "bias"_a.noconvert(), "y"_a.noconvert(), "threads"_a,
        nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "slot_backward",
        [](std::optional<Matrix<const Index>> index, Matrix<const T> value, Matrix<const T> vectors,
           Matrix<const Index> pair, Row<const Index> first, Matrix<const T> weight,
           Matrix<T> dvectors, Matrix<T> dw, int threads) {
            const std::int64_t n = size(pair, 0), k = size(value, 1), outs = size(weight, 0);
            require_pairs(vectors, pair, first, weight);
            require(size(value, 0) == n, "value must have the rows of pair");
            if (index) {
                require(has_shape(*index, n, k), "index must have the shape of value");
                require(k <= outs, "index must have at most O columns");
                require_indices(*index, outs);
            } else {
                require(k == outs, "value must be (B, O) where index is None");
            }
            require(has_shape(dvectors, size(vectors, 0), size(vectors, 1)),
                    "dvectors must have the shape of vectors");
            require(has_shape(dw, outs, size(weight, 1)), "dw must have the shape of weight");
            of<T>(kernels()).slot_backward(index ? index->data() : nullptr, value.data(), k,
                                           vectors.data(), size(vectors, 1), pair.data(), n,
                                           size(pair, 1), first.data(), weight.data(), outs,
                                           dvectors.data(), dw.data(), checked_threads(threads));
        },
        "index"_a.noconvert(), "value"_a.noconvert(), "vectors"_a.noconvert(), "pair"_a.noconvert(),
        "first"_a.noconvert(), "weight"_a.noconvert(), "dvectors"_a.noconvert(), "dw"_a.noconvert(),
        "threads"_a, nb::call_guard<nb::gil_scoped_release>());
}

} // namespace

void bind_slots(nb::module_& m) {
    m.def(
        "number_pairs",
        [](Matrix<const Index> rows, std::int64_t table_rows, Matrix<Index> pair, Row<Index> row_of,
           Row<Index> first) {
            const std::int64_t n = size(rows, 0), slots = size(rows, 1);
            require(has_shape(pair, n, slots), "pair must have the shape of rows");
            require(size(row_of, 0) == n * slots, "row_of must have an entry for each of rows");
            require(size(first, 0) == slots + 1, "first must have one more entry than slots");
            require_indices(rows, table_rows);
            return kernels().number_pairs(rows.data(), n, slots, table_rows, pair.data(),
                                          row_of.data(), first.data());
        },
        "rows"_a.noconvert(), "table_rows"_a, "pair"_a.noconvert(), "row_of"_a.noconvert(),
        "first"_a.noconvert(), nb::call_guard<nb::gil_scoped_release>());
    bind<float>(m);
    bind<double>(m);
}

} // namespace meprop::border
