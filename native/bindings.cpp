// The border between Python and the kernels: every shape is checked here, so that a mistake is an
// exception and never a crash. Types are checked by nanobind, which chooses the overload by them.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <stdexcept>
#include <string>

#include "dispatch.hpp"
#include "parallel.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class T, int Dims>
using Array = nb::ndarray<T, nb::ndim<Dims>, nb::c_contig, nb::device::cpu>;
template <class T>
using Matrix = Array<T, 2>;
template <class T>
using Row = Array<T, 1>;
using Index = std::int32_t;

std::int64_t size(const auto& array, std::size_t dimension) {
    return static_cast<std::int64_t>(array.shape(dimension));
}

void demand(bool holds, const char* what) {
    if (!holds) throw std::invalid_argument(what);
}

int demand_threads(int threads) {
    demand(threads >= 1, "threads must be at least 1");
    return threads;
}

// Kernels follow indices without looking; one pass here costs little beside the products.
void demand_indices(const Matrix<const Index>& index, std::int64_t width) {
    const std::int64_t n = static_cast<std::int64_t>(index.size());
    bool inside = true;
    for (std::int64_t i = 0; i < n; ++i) {
        inside &= static_cast<std::uint32_t>(index.data()[i]) < static_cast<std::uint64_t>(width);
    }
    demand(inside, "an index is outside the width");
}

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
            meprop::of<T>(meprop::kernels())
                .select_topk(dy.data(), size(dy, 0), size(dy, 1), k, index.data(), value.data(),
                             demand_threads(threads));
        },
        "dy"_a.noconvert(), "index"_a.noconvert(), "value"_a.noconvert(), "threads"_a,
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
            meprop::of<T>(meprop::kernels())
                .sparse_dx(index.data(), value.data(), size(index, 0), size(index, 1),
                           weight.data(), size(weight, 0), size(weight, 1), dx.data(),
                           demand_threads(threads));
        },
        "index"_a.noconvert(), "value"_a.noconvert(), "weight"_a.noconvert(), "dx"_a.noconvert(),
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
            meprop::of<T>(meprop::kernels())
                .sparse_dw(index.data(), value.data(), size(index, 0), size(index, 1), x.data(),
                           size(dw, 0), size(dw, 1), dw.data(), demand_threads(threads));
        },
        "index"_a.noconvert(), "value"_a.noconvert(), "x"_a.noconvert(), "dw"_a.noconvert(),
        "threads"_a, nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace

NB_MODULE(_native, m) {
    m.doc() = "Kernels of meprop_nlp; see meprop_nlp/native.py, which loads them.";
    m.def("instruction_sets", &meprop::usable_instruction_sets,
          "Instruction sets compiled in that this processor runs, the widest first.");
    m.def("instruction_set", [] { return std::string(meprop::kernels().name); },
          "The one in use.");
    m.def(
        "use_instruction_set",
        [](const std::string& name) {
            demand(meprop::use_instruction_set(name), "no such instruction set here");
        },
        "name"_a);
    m.def(
        "use_openmp_runtime",
        [](std::uintptr_t entry) {
            meprop::use_openmp_runtime(reinterpret_cast<meprop::OpenMPParallel>(entry));
        },
        "gomp_parallel"_a, "Address of GOMP_parallel, or 0 for plain threads.");
    bind<float>(m);
    bind<double>(m);
}
