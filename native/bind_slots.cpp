// A linear layer over slots of a table, for Python.
#include <nanobind/stl/optional.h>

#include <optional>

#include "border.hpp"

namespace meprop::border {
namespace {

template <class T>
void bind(nb::module_& m) {
    m.def(
        "slot_forward",
        [](Matrix<const T> vectors, Matrix<const Index> pair, Row<const Index> first,
           Matrix<const T> weight, std::optional<Row<const T>> bias, Matrix<T> y, int threads) {
            const std::int64_t width = size(vectors, 1), slots = size(pair, 1);
            const std::int64_t outs = size(weight, 0), pairs = size(vectors, 0);
            demand(size(weight, 1) == slots * width,
                   "weight must have a column per slot and input");
            demand(!bias || size(*bias, 0) == outs, "bias must be (O,)");
            demand(has_shape(y, size(pair, 0), outs), "y must be (B, O)");
            demand(size(first, 0) == slots + 1, "first must have one more entry than slots");
            bool fits = first.data()[0] == 0 && first.data()[slots] == pairs;
            for (std::int64_t s = 0; s < slots; ++s) {
                fits &= first.data()[s] <= first.data()[s + 1];
            }
            demand(fits, "first must rise from 0 to the number of pairs");
            demand_indices(pair, pairs);
            of<T>(kernels()).slot_forward(vectors.data(), width, pair.data(), size(pair, 0), slots,
                                          first.data(), weight.data(),
                                          bias ? bias->data() : nullptr, outs, y.data(),
                                          demand_threads(threads));
        },
        "vectors"_a.noconvert(), "pair"_a.noconvert(), "first"_a.noconvert(),
        "weight"_a.noconvert(), "bias"_a.noconvert(), "y"_a.noconvert(), "threads"_a,
        nb::call_guard<nb::gil_scoped_release>());
}

} // namespace

void bind_slots(nb::module_& m) {
    m.def(
        "number_pairs",
        [](Matrix<const Index> rows, std::int64_t table_rows, Matrix<Index> pair, Row<Index> row_of,
           Row<Index> first) {
            const std::int64_t n = size(rows, 0), slots = size(rows, 1);
            demand(has_shape(pair, n, slots), "pair must have the shape of rows");
            demand(size(row_of, 0) == n * slots, "row_of must have an entry for each of rows");
            demand(size(first, 0) == slots + 1, "first must have one more entry than slots");
            demand_indices(rows, table_rows);
            return kernels().number_pairs(rows.data(), n, slots, table_rows, pair.data(),
                                          row_of.data(), first.data());
        },
        "rows"_a.noconvert(), "table_rows"_a, "pair"_a.noconvert(), "row_of"_a.noconvert(),
        "first"_a.noconvert(), nb::call_guard<nb::gil_scoped_release>());
    bind<float>(m);
    bind<double>(m);
}

} // namespace meprop::border
