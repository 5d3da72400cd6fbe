// Sums of rows of a table, and the gradient of the table, computed only for the rows that were
// read.
#pragma once

#include "base/buffer.hpp"
#include "base/parallel.hpp"
#include "base/simd.hpp"
#include "embedding/dropout.hpp"

namespace meprop::MEPROP_ISA {

constexpr std::int64_t kGatherRows = 256; // per task

// y[n] = sum over j of table[rows[n, j]], with dropout; rows (n, each), y (n, width).
template <class T>
void embedding_forward(const T* table, const std::int32_t* rows, std::int64_t n, std::int64_t each,
                       std::int64_t width, Dropout dropout, T* y, int threads) {
    parallel_for(ceil_div(n, kGatherRows), threads, [=](std::int64_t task) {
        const std::int64_t last = smaller(n, (task + 1) * kGatherRows);
        for (std::int64_t i = task * kGatherRows; i < last; ++i) {
            T* __restrict out = y + i * width;
            for (std::int64_t c = 0; c < width; ++c)
                out[c] = 0;
            for (std::int64_t j = 0; j < each; ++j) {
                const T* __restrict row = table + rows[i * each + j] * width;
                for (std::int64_t c = 0; c < width; ++c)
                    out[c] += row[c];
            }
            if (dropout.threshold == 0)
                continue;
            multiply<false>(out, width, dropout, static_cast<std::uint32_t>(i * width), out);
        }
    });
}

// The gradient of the table: dy (n, width), rows (n, each), the dropout of the forward pass.
//
// With `only_read`, writes the numbers of the rows that were read, in increasing order, to
// `distinct` and their gradients to the first rows of `gradient`, and returns their number.
// Otherwise fills all `table_rows` rows of `gradient`. Each row's sum runs over n in increasing
// order, whatever the number of threads.
template <class T>
std::int64_t embedding_backward(const T* dy, const std::int32_t* rows, std::int64_t n,
                                std::int64_t each, std::int64_t table_rows, std::int64_t width,
                                Dropout dropout, bool only_read, std::int32_t* distinct,
                                T* gradient, int threads) {
    // sort the examples by the row they read: row r was read by example[offset[r]] to
    // example[offset[r + 1] - 1]
    const std::int64_t entries = n * each;
    const Buffer<std::int32_t> offsets(table_rows + 1), read_rows(table_rows), examples(entries);
    std::int32_t* const offset = offsets;
    std::int32_t* const read = read_rows;
    std::int32_t* const example = examples;
    for (std::int64_t r = 0; r <= table_rows; ++r)
        offset[r] = 0;
    for (std::int64_t e = 0; e < entries; ++e)
        ++offset[rows[e] + 1];
    std::int64_t n_read = 0;
    std::int32_t end = 0;
    for (std::int64_t r = 0; r < table_rows; ++r) {
        const std::int32_t count = offset[r + 1];
        if (count > 0 || !only_read)
            read[n_read++] = static_cast<std::int32_t>(r);
        offset[r + 1] = end;
        end += count;
    }
    for (std::int64_t i = 0, e = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < each; ++j, ++e) {
            example[offset[rows[e] + 1]++] = static_cast<std::int32_t>(i);
        }
    }
    for (std::int64_t i = 0; only_read && i < n_read; ++i)
        distinct[i] = read[i];
    constexpr std::int64_t kRows = 16; // per task
    parallel_for(ceil_div(n_read, kRows), threads, [=](std::int64_t task) {
        const std::int64_t last = smaller(n_read, (task + 1) * kRows);
        for (std::int64_t i = task * kRows; i < last; ++i) {
            T* __restrict sum = gradient + i * width;
            for (std::int64_t c = 0; c < width; ++c)
                sum[c] = 0;
            for (std::int32_t e = offset[read[i]]; e < offset[read[i] + 1]; ++e) {
                const T* __restrict row = dy + example[e] * width;
                if (dropout.threshold == 0) {
                    for (std::int64_t c = 0; c < width; ++c)
                        sum[c] += row[c];
                } else {
                    const auto first = static_cast<std::uint32_t>(example[e] * width);
                    multiply<true>(row, width, dropout, first, sum);
                }
            }
        }
    });
    return n_read;
}

} // namespace meprop::MEPROP_ISA
