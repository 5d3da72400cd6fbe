// One step of an optimiser for one parameter (rows, width), whose gradient is dense or has only
// some rows. The formulas are those of torch.optim, in the same order of operations.
//
// Exact: a row without a gradient has a gradient of zero, which still decays Adam's moments and so
// moves the parameter. Lazy: such a row is not updated.
#pragma once

#include <math.h>

#include "base/parallel.hpp"
#include "base/simd.hpp"
#include "kernels.hpp"

namespace meprop::MEPROP_ISA {

inline float square_root(float x) {
    return ::sqrtf(x);
}
inline double square_root(double x) {
    return ::sqrt(x);
}

// Calls update(first, gradient, n) for runs of n elements that cover the parameter, or with `lazy`
// only the rows that have a gradient. `gradient` is null for rows without one.
template <class T, class Update>
void for_each_row(const RowGradient<T>& gradient, bool lazy, int threads, Update update) {
    constexpr std::int64_t kElements = 1 << 13; // per task
    const std::int64_t width = gradient.width;
    if (gradient.is_dense) {
        const std::int64_t n = gradient.table_rows * width;
        parallel_for(ceil_div(n, kElements), threads, [=](std::int64_t task) {
            const std::int64_t first = task * kElements;
            update(first, gradient.values + first, smaller(kElements, n - first));
        });
        return;
    }
    if (lazy) {
        const std::int64_t rows =
            larger<std::int64_t>(1, kElements / larger<std::int64_t>(1, width));
        parallel_for(ceil_div(gradient.n, rows), threads, [=](std::int64_t task) {
            const std::int64_t last = smaller(gradient.n, (task + 1) * rows);
            for (std::int64_t i = task * rows; i < last; ++i) {
                update(gradient.rows[i] * width, gradient.values + i * width, width);
            }
        });
        return;
    }
    // a task covers a range of rows: some rows that have a gradient, and all rows between them
    const std::int64_t tasks = larger<std::int64_t>(1, smaller<std::int64_t>(gradient.n, 64));
    parallel_for(tasks, threads, [=](std::int64_t task) {
        std::int64_t i = gradient.n * task / tasks;
        const std::int64_t end = gradient.n * (task + 1) / tasks;
        std::int64_t row = task == 0 ? 0 : gradient.rows[i];
        const std::int64_t last = task + 1 == tasks ? gradient.table_rows : gradient.rows[end];
        while (row < last) {
            const std::int64_t next = i < end ? gradient.rows[i] : last;
            if (row < next)
                update(row * width, static_cast<const T*>(nullptr), (next - row) * width);
            if (i < end)
                update(next * width, gradient.values + i * width, width);
            ++i;
            row = next + 1;
        }
    });
}

template <class T>
void adam(T* parameter, RowGradient<T> gradient, T* mean, T* square, AdamSettings settings,
          bool lazy, int threads) {
    const T keep_mean = static_cast<T>(1 - settings.beta1), beta2 = static_cast<T>(settings.beta2);
    const T add_square = static_cast<T>(1 - settings.beta2), eps = static_cast<T>(settings.eps);
    const T step = static_cast<T>(settings.step_size),
            decay = static_cast<T>(settings.weight_decay);
    const T root = static_cast<T>(settings.root_correction);
    for_each_row<T>(gradient, lazy, threads,
                    [=](std::int64_t first, const T* values, std::int64_t n) {
                        T* __restrict p = parameter + first, * __restrict m = mean + first;
                        T* __restrict v = square + first;
                        const T* __restrict gradients = values;
                        if (gradients) {
                            for (std::int64_t i = 0; i < n; ++i) {
                                const T g = gradients[i] + decay * p[i];
                                m[i] += (g - m[i]) * keep_mean;
                                v[i] = v[i] * beta2 + add_square * g * g;
                                p[i] -= step * (m[i] / (square_root(v[i]) / root + eps));
                            }
                        } else {
                            for (std::int64_t i = 0; i < n; ++i) {
                                const T g = decay * p[i];
                                m[i] += (g - m[i]) * keep_mean;
                                v[i] = v[i] * beta2 + add_square * g * g;
                                p[i] -= step * (m[i] / (square_root(v[i]) / root + eps));
                            }
                        }
                    });
}

// A row without a gradient does not change, except by weight decay.
template <class T>
void adagrad(T* parameter, RowGradient<T> gradient, T* sum, AdagradSettings settings, bool lazy,
             int threads) {
    const T rate = static_cast<T>(settings.rate), eps = static_cast<T>(settings.eps);
    const T decay = static_cast<T>(settings.weight_decay);
    for_each_row<T>(gradient, lazy || decay == 0, threads,
                    [=](std::int64_t first, const T* values, std::int64_t n) {
                        T* __restrict p = parameter + first, * __restrict s = sum + first;
                        for (std::int64_t i = 0; i < n; ++i) {
                            const T g = (values ? values[i] : T{0}) + decay * p[i];
                            s[i] += g * g;
                            p[i] -= rate * (g / (square_root(s[i]) + eps));
                        }
                    });
}

} // namespace meprop::MEPROP_ISA
