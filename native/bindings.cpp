// The border between Python and the kernels: every shape is checked here, so that a mistake is an
// exception and never a crash. Types are checked by nanobind, which chooses the overload by them.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
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

// The steps of a packed batch, checked against its number of rows and sequences.
class PackedSteps {
   public:
    PackedSteps(const std::vector<std::int64_t>& sizes, bool reverse, std::int64_t rows,
                std::int64_t sequences)
        : sizes_(sizes), reverse_(reverse) {
        std::int64_t row = 0, previous = sequences;
        for (const std::int64_t size : sizes) {
            demand(0 <= size && size <= previous, "batch sizes must not be negative and never grow");
            first_.push_back(row);
            row += size;
            previous = size;
        }
        demand(row == rows, "batch sizes must sum to the rows of the packed input");
        demand(sizes.empty() || sizes[0] == sequences, "the state must have a row per sequence");
    }
    meprop::Steps steps() const {
        return {first_.data(), sizes_.data(), static_cast<std::int64_t>(sizes_.size()), reverse_};
    }

   private:
    std::vector<std::int64_t> sizes_, first_;
    bool reverse_;
};

template <class T>
bool has_shape(const Matrix<T>& array, std::int64_t rows, std::int64_t columns) {
    return size(array, 0) == rows && size(array, 1) == columns;
}

template <class T>
void bind_lstm(nb::module_& m) {
    m.def(
        "lstm_forward",
        [](Matrix<const T> x, const std::vector<std::int64_t>& batch_sizes, bool reverse,
           Matrix<const T> h0, Matrix<const T> c0, Matrix<const T> weight_ih,
           Matrix<const T> weight_hh, std::optional<Row<const T>> bias, Matrix<T> output,
           Matrix<T> h_n, Matrix<T> c_n, Matrix<T> gates, Matrix<T> tanh_c, Matrix<T> h_prev,
           Matrix<T> c_prev, int threads) {
            const std::int64_t rows = size(x, 0), ins = size(x, 1), units = size(weight_hh, 1);
            const std::int64_t sequences = size(h0, 0);
            const PackedSteps packed(batch_sizes, reverse, rows, sequences);
            demand(has_shape(weight_ih, 4 * units, ins), "weight_ih must be (4H, I)");
            demand(has_shape(weight_hh, 4 * units, units), "weight_hh must be (4H, H)");
            demand(!bias || size(*bias, 0) == 4 * units, "bias must be (4H,)");
            for (const auto& state : {h0, c0}) {
                demand(has_shape(state, sequences, units), "the state must be (B, H)");
            }
            for (const auto& state : {h_n, c_n}) {
                demand(has_shape(state, sequences, units), "the last state must be (B, H)");
            }
            for (const auto& trace : {output, tanh_c, h_prev, c_prev}) {
                demand(has_shape(trace, rows, units), "the trace must be (N, H)");
            }
            demand(has_shape(gates, rows, 4 * units), "gates must be (N, 4H)");
            meprop::of<T>(meprop::kernels())
                .lstm_forward(x.data(), h0.data(), c0.data(), weight_ih.data(), weight_hh.data(),
                              bias ? bias->data() : nullptr, ins, units, sequences, packed.steps(),
                              output.data(), h_n.data(), c_n.data(), gates.data(), tanh_c.data(),
                              h_prev.data(), c_prev.data(), demand_threads(threads));
        },
        "x"_a.noconvert(), "batch_sizes"_a, "reverse"_a, "h0"_a.noconvert(), "c0"_a.noconvert(),
        "weight_ih"_a.noconvert(), "weight_hh"_a.noconvert(), "bias"_a.noconvert().none(),
        "output"_a.noconvert(), "h_n"_a.noconvert(), "c_n"_a.noconvert(), "gates"_a.noconvert(),
        "tanh_c"_a.noconvert(), "h_prev"_a.noconvert(), "c_prev"_a.noconvert(), "threads"_a,
        nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "lstm_backward",
        [](Matrix<const T> doutput, const std::vector<std::int64_t>& batch_sizes, bool reverse,
           Matrix<const T> weight_hh, Matrix<const T> gates, Matrix<const T> tanh_c,
           Matrix<const T> c_prev, Matrix<T> dh, Matrix<T> dc, Matrix<Index> index,
           Matrix<T> value, Row<T> db, int threads) {
            const std::int64_t rows = size(doutput, 0), units = size(weight_hh, 1);
            const std::int64_t sequences = size(dh, 0), kept = size(index, 1);
            const PackedSteps packed(batch_sizes, reverse, rows, sequences);
            demand(has_shape(weight_hh, 4 * units, units), "weight_hh must be (4H, H)");
            for (const auto& trace : {doutput, tanh_c, c_prev}) {
                demand(has_shape(trace, rows, units), "the trace must be (N, H)");
            }
            demand(has_shape(gates, rows, 4 * units), "gates must be (N, 4H)");
            for (const auto& state : {dh, dc}) {
                demand(has_shape(state, sequences, units), "the state must be (B, H)");
            }
            demand(kept % 4 == 0 && 4 <= kept && kept <= 4 * units, "k must be from 1 to H");
            demand(has_shape(index, rows, kept) && has_shape(value, rows, kept),
                   "index and value must be (N, 4k)");
            demand(size(db, 0) == 4 * units, "db must be (4H,)");
            meprop::of<T>(meprop::kernels())
                .lstm_backward(doutput.data(), weight_hh.data(), gates.data(), tanh_c.data(),
                               c_prev.data(), units, sequences, packed.steps(), kept / 4,
                               dh.data(), dc.data(), index.data(), value.data(), db.data(),
                               demand_threads(threads));
        },
        "doutput"_a.noconvert(), "batch_sizes"_a, "reverse"_a, "weight_hh"_a.noconvert(),
        "gates"_a.noconvert(), "tanh_c"_a.noconvert(), "c_prev"_a.noconvert(),
        "dh"_a.noconvert(), "dc"_a.noconvert(), "index"_a.noconvert(), "value"_a.noconvert(),
        "db"_a.noconvert(), "threads"_a, nb::call_guard<nb::gil_scoped_release>());
}

template <class T>
void bind_linear(nb::module_& m) {
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
    bind_linear<float>(m);
    bind_linear<double>(m);
    bind_lstm<float>(m);
    bind_lstm<double>(m);
}
