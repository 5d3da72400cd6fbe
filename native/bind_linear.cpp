// The selection and the products of a linear layer, for Python.
#include "border.hpp"

namespace meprop::border {
namespace {

template <class T>
void bind(nb::module_& m) {
    m.def(
        "select_topk",
        [](Matrix<const T> dy, Matrix<Index> index, Matrix<T> value, int threads) {
            const std::int64_t k = size(index, 1);
            demand(1 <= k && k <= size(dy, 1), "k must be from 1 to the width of dy");
            demand(size(index, 0) == size(dy, 0) && size(value, 0) == size(dy, 0) &&
                       size(value, 1) == k,
                   "index and value must be (rows of dy, k)");
            of<T>(kernels()).select_topk(dy.data(), size(dy, 0), size(dy, 1), k, index.data(),
                                         value.data(), demand_threads(threads));
        },
        "dy"_a.noconvert(), "index"_a.noconvert(), "value"_a.noconvert(), "threads"_a,
        nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "column_magnitudes",
        [](Matrix<const T> dy, Row<T> total, int threads) {
            demand(size(total, 0) == size(dy, 1), "total must be (columns of dy,)");
            of<T>(kernels()).column_magnitudes(dy.data(), size(dy, 0), size(dy, 1), total.data(),
                                               demand_threads(threads));
        },
        "dy"_a.noconvert(), "total"_a.noconvert(), "threads"_a,
        nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "sparse_dx",
        [](Matrix<const Index> index, Matrix<const T> value, Matrix<const T> weight, Matrix<T> dx,
           int threads) {
            demand(size(value, 0) == size(index, 0) && size(value, 1) == size(index, 1),
                   "value must have the shape of index");
            demand(size(dx, 0) == size(index, 0) && size(dx, 1) == size(weight, 1),
                   "dx must be (rows of index, columns of weight)");
            demand_indices(index, size(weight, 0));
            of<T>(kernels()).sparse_dx(index.data(), value.data(), size(index, 0), size(index, 1),
                                       weight.data(), size(weight, 0), size(weight, 1), dx.data(),
                                       demand_threads(threads));
        },
        "index"_a.noconvert(), "value"_a.noconvert(), "weight"_a.noconvert(), "dx"_a.noconvert(),
        "threads"_a, nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "unified_dw",
        [](Matrix<const T> kept, Row<const Index> neurons, Matrix<const T> x, Matrix<T> dw,
           int threads) {
            const std::int64_t outs = size(dw, 0), k = size(kept, 1);
            demand(size(x, 0) == size(kept, 0) && size(dw, 1) == size(x, 1),
                   "x must be (rows of kept, columns of dw)");
            demand(size(neurons, 0) == k, "neurons must name a row of dw for each column of kept");
            for (std::int64_t j = 0; j < k; ++j) {
                demand(0 <= neurons.data()[j] && neurons.data()[j] < outs,
                       "an index is outside the width");
            }
            of<T>(kernels()).unified_dw(kept.data(), neurons.data(), size(kept, 0), k, x.data(),
                                        outs, size(dw, 1), dw.data(), demand_threads(threads));
        },
        "kept"_a.noconvert(), "neurons"_a.noconvert(), "x"_a.noconvert(), "dw"_a.noconvert(),
        "threads"_a, nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "sparse_dw",
        [](Matrix<const Index> index, Matrix<const T> value, Matrix<const T> x, Matrix<T> dw,
           int threads) {
            demand(size(value, 0) == size(index, 0) && size(value, 1) == size(index, 1),
                   "value must have the shape of index");
            demand(size(x, 0) == size(index, 0) && size(dw, 1) == size(x, 1),
                   "x must be (rows of index, columns of dw)");
            demand_indices(index, size(dw, 0));
            of<T>(kernels()).sparse_dw(index.data(), value.data(), size(index, 0), size(index, 1),
                                       x.data(), size(dw, 0), size(dw, 1), dw.data(),
                                       demand_threads(threads));
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
