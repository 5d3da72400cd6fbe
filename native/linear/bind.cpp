// Python bindings of the selection and the products of a linear layer.
#include <nanobind/stl/optional.h>

#include <optional>

#include "base/border.hpp"
#include "dispatch.hpp"

namespace meprop::border {
namespace {

void require_k(std::int64_t k, std::int64_t width) {
    require(1 <= k && k <= width, "k must be from 1 to the width of dy");
}

template <class T>
void require_width(const std::optional<Row<T>>& db, const std::optional<Row<std::int64_t>>& hits,
                   std::int64_t width) {
    require(!db || size(*db, 0) == width, "db must be (columns of dy,)");
    require(!hits || size(*hits, 0) == width, "hits must be (columns of dy,)");
}

template <class T>
LinearBackward<T>
make_backward(const Matrix<const T>& dy, const Matrix<const T>& x, const Matrix<const T>& weight,
              std::int64_t k, const std::optional<Matrix<T>>& dx,
              const std::optional<Matrix<T>>& dw, std::int64_t dw_rows,
              const std::optional<Row<T>>& db, const std::optional<Row<std::int64_t>>& hits) {
    const std::int64_t rows = size(dy, 0), outs = size(dy, 1), ins = size(x, 1);
    require_k(k, outs);
    require(size(x, 0) == rows, "x must have the rows of dy");
    require(has_shape(weight, outs, ins), "weight must be (columns of dy, columns of x)");
    require(!dx || has_shape(*dx, rows, ins), "dx must be (rows of dy, columns of x)");
    require(!dw || has_shape(*dw, dw_rows, ins), "dw must be (columns of dy, columns of x)");
    require_width(db, hits, outs);
    return {dy.data(),
            x.data(),
            weight.data(),
            rows,
            outs,
            ins,
            k,
            dx ? dx->data() : nullptr,
            dw ? dw->data() : nullptr,
            db ? db->data() : nullptr,
            hits ? hits->data() : nullptr};
}

template <class T>
void bind(nb::module_& m) {
    m.def(
        "select_topk",
        [](Matrix<const T> dy, Matrix<Index> index, Matrix<T> value, std::optional<Row<T>> db,
           std::optional<Row<std::int64_t>> hits, int threads) {
            const std::int64_t rows = size(dy, 0), outs = size(dy, 1), k = size(index, 1);
            require_k(k, outs);
            require(has_shape(index, rows, k) && has_shape(value, rows, k),
                    "index and value must be (rows of dy, k)");
            require_width(db, hits, outs);
            of<T>(kernels()).select_topk(dy.data(), rows, outs, k, index.data(), value.data(),
                                         db ? db->data() : nullptr, hits ? hits->data() : nullptr,
                                         checked_threads(threads));
        },
        "dy"_a.noconvert(), "index"_a.noconvert(), "value"_a.noconvert(), "db"_a.noconvert(),
        "hits"_a.noconvert(), "threads"_a, nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "sparse_dx",
        [](Matrix<const Index> index, Matrix<const T> value, Matrix<const T> weight, Matrix<T> dx,
           int threads) {
            require(size(value, 0) == size(index, 0) && size(value, 1) == size(index, 1),
                    "value must have the shape of index");
            require(size(dx, 0) == size(index, 0) && size(dx, 1) == size(weight, 1),
                    "dx must be (rows of index, columns of weight)");
            require_indices(index, size(weight, 0));
            of<T>(kernels()).sparse_dx(index.data(), value.data(), size(index, 0), size(index, 1),
                                       weight.data(), size(weight, 0), size(weight, 1), dx.data(),
                                       checked_threads(threads));
        },
        "index"_a.noconvert(), "value"_a.noconvert(), "weight"_a.noconvert(), "dx"_a.noconvert(),
        "threads"_a, nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "mask_topk",
        [](Matrix<const T> dy, std::int64_t k, Matrix<T> masked, std::optional<Row<T>> db,
           std::optional<Row<std::int64_t>> hits, int threads) {
            const std::int64_t rows = size(dy, 0), outs = size(dy, 1);
            require_k(k, outs);
            require(has_shape(masked, rows, outs), "masked must have the shape of dy");
            require_width(db, hits, outs);
            of<T>(kernels()).mask_topk(dy.data(), rows, outs, k, masked.data(),
                                       db ? db->data() : nullptr, hits ? hits->data() : nullptr,
                                       checked_threads(threads));
        },
        "dy"_a.noconvert(), "k"_a, "masked"_a.noconvert(), "db"_a.noconvert(), "hits"_a.noconvert(),
        "threads"_a, nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "example_backward",
        [](Matrix<const T> dy, Matrix<const T> x, Matrix<const T> weight, std::int64_t k,
           std::optional<Matrix<T>> dx, std::optional<Matrix<T>> dw, std::optional<Row<T>> db,
           std::optional<Row<std::int64_t>> hits, int threads) {
            of<T>(kernels()).example_backward(
                make_backward<T>(dy, x, weight, k, dx, dw, size(dy, 1), db, hits),
                checked_threads(threads));
        },
        "dy"_a.noconvert(), "x"_a.noconvert(), "weight"_a.noconvert(), "k"_a, "dx"_a.noconvert(),
        "dw"_a.noconvert(), "db"_a.noconvert(), "hits"_a.noconvert(), "threads"_a,
        nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "unified_backward",
        [](Matrix<const T> dy, Matrix<const T> x, Matrix<const T> weight, Row<Index> neurons,
           std::optional<Matrix<T>> dx, std::optional<Matrix<T>> dw, std::optional<Row<T>> db,
           std::optional<Row<std::int64_t>> hits, int threads) {
            const std::int64_t k = size(neurons, 0), outs = size(dy, 1);
            const bool dw_of_kept = dw && size(*dw, 0) == k && k < outs;
            of<T>(kernels()).unified_backward(
                make_backward<T>(dy, x, weight, k, dx, dw, dw_of_kept ? k : outs, db, hits),
                neurons.data(), dw_of_kept, checked_threads(threads));
        },
        "dy"_a.noconvert(), "x"_a.noconvert(), "weight"_a.noconvert(), "neurons"_a.noconvert(),
        "dx"_a.noconvert(), "dw"_a.noconvert(), "db"_a.noconvert(), "hits"_a.noconvert(),
        "threads"_a, nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "sparse_dw",
        [](Matrix<const Index> index, Matrix<const T> value, Matrix<const T> x, Matrix<T> dw,
           int threads) {
            require(size(value, 0) == size(index, 0) && size(value, 1) == size(index, 1),
                    "value must have the shape of index");
            require(size(x, 0) == size(index, 0) && size(dw, 1) == size(x, 1),
                    "x must be (rows of index, columns of dw)");
            require_indices(index, size(dw, 0));
            of<T>(kernels()).sparse_dw(index.data(), value.data(), size(index, 0), size(index, 1),
                                       x.data(), size(dw, 0), size(dw, 1), dw.data(),
                                       checked_threads(threads));
        },
        "index"_a.noconvert(), "value"_a.noconvert(), "x"_a.noconvert(), "dw"_a.noconvert(),
        "threads"_a, nb::call_guard<nb::gil_scoped_release>());
}

} // namespace

void bind_linear(nb::module_& m) {
    bind<float>(m);
    bind<double>(m);
}

} // namespace meprop::border
