// One step of an LSTM's backpropagation through time, up to the kept gate gradients. Used when the
// products are computed between steps: densely, because much is kept, or over the units that all
// rows share (`unified`).
#pragma once

#include "base/buffer.hpp"
#include "linear/unified.hpp"
#include "lstm/lstm.hpp"

namespace meprop::MEPROP_ISA {

// Row r of the step is row first + r of the trace. dh and dc (rows, H) are the gradients of the
// step's output and cell; dc is replaced by the gradient of the previous cell. Writes masked
// (rows, 4H) with k kept entries per gate (all if k = H): of each row, or with `unified` the same
// units in all rows. With `unified` it can write index and value (rows, 4k) instead. Adds the sum
// of the rows before the selection to db (4H).
template <class T>
void lstm_step_backward(const T* doutput, const T* gates, const T* tanh_c, const T* c_prev,
                        std::int64_t units, std::int64_t first, std::int64_t rows, std::int64_t k,
                        bool unified, const T* dh, T* dc, T* masked, std::int32_t* index, T* value,
                        T* db, int threads) {
    const std::int64_t width = kGates * units;
    const LSTMBackward<T> backward{doutput, nullptr, gates,   tanh_c, c_prev,
                                   units,   k,       nullptr, nullptr};
    if (rows * width < kSmall / 8) // each entry takes several operations
        threads = 1;
    const Buffer<T> dense(k < units ? rows * width : 0);
    T* da = k < units ? dense : masked;
    const std::int64_t group = larger<std::int64_t>(1, ceil_div(rows, 2 * threads));
    parallel_for(ceil_div(rows, group), threads, [=](std::int64_t task) {
        const std::int64_t start = task * group, last = smaller(rows, start + group);
        for (std::int64_t r = start; r < last; ++r)
            backward.gate_gradients(first + r, dh + r * units, dc + r * units, da + r * width);
        for (int gate = 0; k < units && !unified && gate < kGates; ++gate) {
            RowSelector<T> selector(units);
            for (std::int64_t r = start; r < last; ++r) {
                const std::int64_t at = r * width + gate * units;
                selector.mask(da + at, k, masked + at);
            }
        }
    });
    const Buffer<T> sums(2 * width);
    for (std::int64_t u = 0; u < 2 * width; ++u)
        sums[u] = 0;
    add_columns<T>(da, rows, width, sums, sums + width);
    add_row(sums + width, width, db, false);
    if (k == units || !unified)
        return;
    const Buffer<std::int32_t> kept(kGates * k);
    const Buffer<T> largest(k);
    RowSelector<T> selector(units);
    for (std::int64_t gate = 0; gate < kGates; ++gate) {
        selector.select(sums + gate * units, k, kept + gate * k, largest);
        for (std::int64_t j = 0; j < k; ++j)
            kept[gate * k + j] += static_cast<std::int32_t>(gate * units);
    }
    for (std::int64_t i = 0; masked && i < rows * width; ++i)
        masked[i] = 0;
    for (std::int64_t r = 0; r < rows; ++r, da += width) {
        for (std::int64_t j = 0; j < kGates * k; ++j) {
            if (masked) {
                masked[r * width + kept[j]] = da[kept[j]];
            } else {
                index[r * kGates * k + j] = kept[j];
                value[r * kGates * k + j] = da[kept[j]];
            }
        }
    }
}

} // namespace meprop::MEPROP_ISA
