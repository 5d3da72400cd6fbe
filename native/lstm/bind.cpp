// Python bindings of the LSTM.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <vector>

#include "base/border.hpp"
#include "dispatch.hpp"

namespace meprop::border {
namespace {

// The steps of a packed batch, checked against its numbers of rows and sequences.
class PackedSteps {
 public:
    PackedSteps(const std::vector<std::int64_t>& sizes, bool reverse, std::int64_t rows,
                std::int64_t sequences)
        : sizes_(sizes), reverse_(reverse) {
        std::int64_t row = 0, previous = sequences;
        for (const std::int64_t size : sizes) {
            require(0 <= size && size <= previous,
                    "batch sizes must not be negative, nor grow, nor exceed the rows of the state");
            first_.push_back(row);
            row += size;
            previous = size;
        }
        require(row == rows, "batch sizes must sum to the rows of the packed input");
        require(sizes.empty() || sizes[0] == sequences, "the state must have a row per sequence");
    }
    Steps steps() const {
        return {first_.data(), sizes_.data(), static_cast<std::int64_t>(sizes_.size()), reverse_};
    }

 private:
    std::vector<std::int64_t> sizes_, first_;
    bool reverse_;
};

template <class T>
void bind(nb::module_& m) {
    m.def(
        "lstm_forward",
        [](const std::vector<std::int64_t>& batch_sizes, bool reverse, Matrix<const T> h0,
           Matrix<const T> c0, Matrix<const T> weight_hh, Matrix<T> gates, Matrix<T> output,
           Matrix<T> h_n, Matrix<T> c_n, Matrix<T> tanh_c, Matrix<T> h_prev, Matrix<T> c_prev,
           int threads) {
            const std::int64_t rows = size(gates, 0), units = size(weight_hh, 1);
            const std::int64_t sequences = size(h0, 0);
            const PackedSteps packed(batch_sizes, reverse, rows, sequences);
            require(has_shape(weight_hh, 4 * units, units), "weight_hh must be (4H, H)");
            for (const auto& state : {h0, c0}) {
                require(has_shape(state, sequences, units), "the state must be (B, H)");
            }
            for (const auto& state : {h_n, c_n}) {
                require(has_shape(state, sequences, units), "the last state must be (B, H)");
            }
            for (const auto& trace : {output, tanh_c, h_prev, c_prev}) {
                require(has_shape(trace, rows, units), "the trace must be (N, H)");
            }
            require(has_shape(gates, rows, 4 * units), "gates must be (N, 4H)");
            of<T>(kernels()).lstm_forward(h0.data(), c0.data(), weight_hh.data(), units, sequences,
                                          packed.steps(), output.data(), h_n.data(), c_n.data(),
                                          gates.data(), tanh_c.data(), h_prev.data(), c_prev.data(),
                                          checked_threads(threads));
        },
        "batch_sizes"_a, "reverse"_a, "h0"_a.noconvert(), "c0"_a.noconvert(),
        "weight_hh"_a.noconvert(), "gates"_a.noconvert(), "output"_a.noconvert(),
        "h_n"_a.noconvert(), "c_n"_a.noconvert(), "tanh_c"_a.noconvert(), "h_prev"_a.noconvert(),
        "c_prev"_a.noconvert(), "threads"_a, nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "lstm_backward",
        [](Matrix<const T> doutput, const std::vector<std::int64_t>& batch_sizes, bool reverse,
           Matrix<const T> weight_hh, Matrix<const T> gates, Matrix<const T> tanh_c,
           Matrix<const T> c_prev, Matrix<T> dh, Matrix<T> dc, Matrix<Index> index, Matrix<T> value,
           Row<T> db, int threads) {
            const std::int64_t rows = size(doutput, 0), units = size(weight_hh, 1);
            const std::int64_t sequences = size(dh, 0), kept = size(index, 1);
            const PackedSteps packed(batch_sizes, reverse, rows, sequences);
            require(has_shape(weight_hh, 4 * units, units), "weight_hh must be (4H, H)");
            for (const auto& trace : {doutput, tanh_c, c_prev}) {
                require(has_shape(trace, rows, units), "the trace must be (N, H)");
            }
            require(has_shape(gates, rows, 4 * units), "gates must be (N, 4H)");
            for (const auto& state : {dh, dc}) {
                require(has_shape(state, sequences, units), "the state must be (B, H)");
            }
            require(kept % 4 == 0 && 4 <= kept && kept <= 4 * units, "k must be from 1 to H");
            require(has_shape(index, rows, kept) && has_shape(value, rows, kept),
                    "index and value must be (N, 4k)");
            require(size(db, 0) == 4 * units, "db must be (4H,)");
            of<T>(kernels()).lstm_backward(
                doutput.data(), weight_hh.data(), gates.data(), tanh_c.data(), c_prev.data(), units,
                sequences, packed.steps(), kept / 4, dh.data(), dc.data(), index.data(),
                value.data(), db.data(), checked_threads(threads));
        },
        "doutput"_a.noconvert(), "batch_sizes"_a, "reverse"_a, "weight_hh"_a.noconvert(),
        "gates"_a.noconvert(), "tanh_c"_a.noconvert(), "c_prev"_a.noconvert(), "dh"_a.noconvert(),
        "dc"_a.noconvert(), "index"_a.noconvert(), "value"_a.noconvert(), "db"_a.noconvert(),
        "threads"_a, nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "lstm_step_backward",
        [](Matrix<const T> doutput, Matrix<const T> gates, Matrix<const T> tanh_c,
           Matrix<const T> c_prev, std::int64_t first, std::int64_t k, bool unified,
           Matrix<const T> dh, Matrix<T> dc, std::optional<Matrix<T>> masked,
           std::optional<Matrix<Index>> index, std::optional<Matrix<T>> value, Row<T> db,
           int threads) {
            const std::int64_t all = size(gates, 0), rows = size(dh, 0), units = size(dh, 1);
            require(0 <= first && first <= all && rows <= all - first,
                    "the step's rows must be inside the trace");
            require(1 <= k && k <= units, "k must be from 1 to H");
            for (const auto& trace : {doutput, tanh_c, c_prev}) {
                require(has_shape(trace, all, units), "the trace must be (N, H)");
            }
            require(has_shape(gates, all, 4 * units), "gates must be (N, 4H)");
            require(has_shape(dc, rows, units), "dc must have the shape of dh");
            require(masked ? !index && !value : unified && index && value,
                    "either masked or, where unified, index and value must be given");
            require(!masked || has_shape(*masked, rows, 4 * units),
                    "masked must be (rows of dh, 4H)");
            require(masked || (k < units && has_shape(*index, rows, 4 * k) &&
                               has_shape(*value, rows, 4 * k)),
                    "index and value must be (rows of dh, 4k), k below H");
            require(size(db, 0) == 4 * units, "db must be (4H,)");
            of<T>(kernels()).lstm_step_backward(
                doutput.data(), gates.data(), tanh_c.data(), c_prev.data(), units, first, rows, k,
                unified, dh.data(), dc.data(), masked ? masked->data() : nullptr,
                index ? index->data() : nullptr, value ? value->data() : nullptr, db.data(),
                checked_threads(threads));
        },
        "doutput"_a.noconvert(), "gates"_a.noconvert(), "tanh_c"_a.noconvert(),
        "c_prev"_a.noconvert(), "first"_a, "k"_a, "unified"_a, "dh"_a.noconvert(),
        "dc"_a.noconvert(), "masked"_a.noconvert(), "index"_a.noconvert(), "value"_a.noconvert(),
        "db"_a.noconvert(), "threads"_a, nb::call_guard<nb::gil_scoped_release>());
}

} // namespace

void bind_lstm(nb::module_& m) {
    bind<float>(m);
    bind<double>(m);
}

} // namespace meprop::border
