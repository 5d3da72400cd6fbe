// Python bindings of dropout and embeddings.
#include <nanobind/stl/optional.h>

#include <algorithm>
#include <optional>

#include "base/border.hpp"
#include "dispatch.hpp"

namespace meprop::border {
namespace {

// Dropout from Python's arguments: the share of elements to zero, and 64 random bits.
Dropout make_dropout(double p, std::uint64_t seed) {
    require(0 <= p && p < 1, "p must be from 0 up to, not including, 1");
    return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32),
            static_cast<std::uint32_t>(p * 4294967296.0), 1 / (1 - p)};
}

template <class T>
void bind(nb::module_& m) {
    m.def(
        "apply_dropout",
        [](Row<const T> x, double p, std::uint64_t seed, Row<T> y, int threads) {
            require(size(x, 0) == size(y, 0), "y must have the size of x");
            of<T>(kernels()).apply_dropout(x.data(), size(x, 0), make_dropout(p, seed), y.data(),
                                           checked_threads(threads));
        },
        "x"_a.noconvert(), "p"_a, "seed"_a, "y"_a.noconvert(), "threads"_a,
        nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "embedding_forward",
        [](Matrix<const T> table, Matrix<const Index> rows, double p, std::uint64_t seed,
           Matrix<T> y, int threads) {
            require(has_shape(y, size(rows, 0), size(table, 1)),
                    "y must be (rows of rows, columns of table)");
            require_indices(rows, size(table, 0));
            of<T>(kernels()).embedding_forward(table.data(), rows.data(), size(rows, 0),
                                               size(rows, 1), size(table, 1), make_dropout(p, seed),
                                               y.data(), checked_threads(threads));
        },
        "table"_a.noconvert(), "rows"_a.noconvert(), "p"_a, "seed"_a, "y"_a.noconvert(),
        "threads"_a, nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "embedding_backward",
        [](Matrix<const T> dy, Matrix<const Index> rows, std::int64_t table_rows, double p,
           std::uint64_t seed, std::optional<Row<Index>> distinct, Matrix<T> gradient,
           int threads) {
            const std::int64_t entries = size(rows, 0) * size(rows, 1);
            require(size(dy, 0) == size(rows, 0), "dy must have the rows of rows");
            require(0 <= table_rows && table_rows < (std::int64_t{1} << 31) &&
                        entries < (std::int64_t{1} << 31),
                    "the table or the batch is too large");
            const std::int64_t most = distinct ? std::min(entries, table_rows) : table_rows;
            require(has_shape(gradient, most, size(dy, 1)) &&
                        (!distinct || size(*distinct, 0) == most),
                    "gradient must have a row for each row that can be read");
            require_indices(rows, table_rows);
            return of<T>(kernels()).embedding_backward(
                dy.data(), rows.data(), size(rows, 0), size(rows, 1), table_rows, size(dy, 1),
                make_dropout(p, seed), distinct.has_value(), distinct ? distinct->data() : nullptr,
                gradient.data(), checked_threads(threads));
        },
        "dy"_a.noconvert(), "rows"_a.noconvert(), "table_rows"_a, "p"_a, "seed"_a,
        "distinct"_a.noconvert(), "gradient"_a.noconvert(), "threads"_a,
        nb::call_guard<nb::gil_scoped_release>());
}

} // namespace

void bind_embedding(nb::module_& m) {
    bind<float>(m);
    bind<double>(m);
}

} // namespace meprop::border
