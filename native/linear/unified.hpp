// The backward pass of a linear layer when all examples keep the same k neurons (meProp, section
// 2.2): those with the largest sum of |dy| over the minibatch. Both products have width k.
//
//   dx[n]          = sum over j of dy[n, neurons[j]] * weight[neurons[j]]     (N, I)
//   dw[neurons[j]] = sum over n of dy[n, neurons[j]] * x[n]                   (O, I), else zero
#pragma once

#include "base/buffer.hpp"
#include "kernels.hpp"
#include "linear/linear.hpp"
#include "linear/topk.hpp"

namespace meprop::MEPROP_ISA {

// Adds the magnitudes of some rows of dy to `magnitudes`, and the rows to `sums` (width).
template <class T>
inline void add_columns(const T* dy, std::int64_t rows, std::int64_t width,
                        T* __restrict magnitudes, T* __restrict sums) {
    auto magnitude = [](T x) { return x < 0 ? -x : x; };
    std::int64_t n = 0;
    for (; n + 4 <= rows;
         n += 4, dy += 4 * width) { // four rows for each load and store of the sums
        const T* __restrict a = dy, * __restrict b = a + width;
        const T* __restrict c = b + width, * __restrict d = c + width;
        for (std::int64_t i = 0; i < width; ++i) {
            magnitudes[i] +=
                (magnitude(a[i]) + magnitude(b[i])) + (magnitude(c[i]) + magnitude(d[i]));
            sums[i] += (a[i] + b[i]) + (c[i] + d[i]);
        }
    }
    for (; n < rows; ++n, dy += width) {
        const T* __restrict a = dy;
        for (std::int64_t i = 0; i < width; ++i) {
            magnitudes[i] += magnitude(a[i]);
            sums[i] += a[i];
        }
    }
}

// dy (rows, width) -> both (2, width): the sums of the magnitudes, and the sums. First the rows of
// each block are added, in the type of the data, then the blocks' sums in increasing order.
template <class T>
void sum_columns(const T* dy, std::int64_t rows, std::int64_t width, T* both, int threads) {
    constexpr std::int64_t kBlock = 128;
    const std::int64_t blocks = ceil_div(rows, kBlock);
    const Buffer<T> parts(blocks > 1 ? blocks * 2 * width : 0);
    T* const partial = blocks > 1 ? parts : both;
    parallel_for(blocks, threads, [=](std::int64_t block) {
        T* sums = partial + block * 2 * width;
        for (std::int64_t c = 0; c < 2 * width; ++c)
            sums[c] = 0;
        add_columns(dy + block * kBlock * width, smaller(kBlock, rows - block * kBlock), width,
                    sums, sums + width);
    });
    if (blocks == 1)
        return;
    for (std::int64_t c = 0; c < 2 * width; ++c)
        both[c] = 0;
    for (std::int64_t block = 0; block < blocks; ++block) {
        for (std::int64_t c = 0; c < 2 * width; ++c)
            both[c] += partial[block * 2 * width + c];
    }
}

// The number of rows or neurons whose sums fit the registers beside a tile's vectors.
constexpr int kNarrow = kVectorBytes == 64 ? 6 : 1;

// sums[r] += factors[n * step + r * stride] times row n of a tile, for n < depth.
template <int R, class T>
inline void add_outer(const T* factors, std::int64_t step, std::int64_t stride, const T* tile,
                      std::int64_t depth, TileSum<T> (&sums)[R]) {
    for (std::int64_t n = 0; n < depth; ++n, factors += step, tile += kTile<T>) {
        for (int r = 0; r < R; ++r)
            sums[r].add(factors[r * stride], tile);
    }
}

// Covers n rows or neurons by calls of body.operator()<R>(first): kNarrow at a time, then singly.
template <class Body>
inline void by_narrow_blocks(std::int64_t n, const Body& body) {
    std::int64_t first = 0;
    for (; first + kNarrow <= n; first += kNarrow)
        body.template operator()<kNarrow>(first);
    for (; first < n; ++first)
        body.template operator()<1>(first);
}

// kept (rows, k) -> dx (rows, ins).
template <class T>
void unified_dx(const T* kept, const std::int32_t* neurons, std::int64_t rows, std::int64_t k,
                const T* weight, std::int64_t ins, T* dx, int threads) {
    const std::int64_t tiles = ceil_div(ins, kTile<T>);
    const Buffer<T> packed(tiles * k * kTile<T>); // (tile, neuron, column)
    parallel_for(tiles, threads, [=, &packed](std::int64_t tile) {
        for (std::int64_t j = 0; j < k; ++j) {
            pack_tile(weight + neurons[j] * ins, 1, ins, tile * kTile<T>,
                      packed + (tile * k + j) * kTile<T>);
        }
    });
    expect_writes(dx, static_cast<std::size_t>(rows * ins) * sizeof(T), threads);
    const bool stream = streams(dx, rows, ins);
    constexpr std::int64_t kRows = 48; // per use of a tile of weights
    parallel_for(ceil_div(rows, kRows), threads, [=, &packed](std::int64_t task) {
        const std::int64_t start = task * kRows, n = smaller(kRows, rows - start);
        for (std::int64_t column = 0; column < ins; column += kTile<T>) {
            const std::int64_t width = smaller(kTile<T>, ins - column);
            by_narrow_blocks(n, [&]<int R>(std::int64_t first) {
                TileSum<T> sums[R];
                for (auto& sum : sums)
                    sum.clear();
                add_outer<R>(kept + (start + first) * k, 1, k, packed + column * k, k, sums);
                for (int r = 0; r < R; ++r)
                    sums[r].write(dx + (start + first + r) * ins + column, width, stream);
            });
        }
    });
}

// Zeroes all rows of dw (outs, ins) except those of the given neurons, which increase.
template <class T>
void zero_other_rows(const std::int32_t* neurons, std::int64_t k, std::int64_t outs,
                     std::int64_t ins, T* dw, int threads) {
    const std::int64_t each = ceil_div(outs, 4 * threads);
    parallel_for(ceil_div(outs, each), threads, [=](std::int64_t task) {
        const std::int64_t last = smaller(outs, (task + 1) * each);
        std::int64_t j = 0;
        for (std::int64_t o = task * each; o < last; ++o) {
            while (j < k && neurons[j] < o)
                ++j;
            if (j == k || neurons[j] != o)
                std::memset(dw + o * ins, 0, static_cast<std::size_t>(ins) * sizeof(T));
        }
    });
}

// kept (rows, k), x (rows, ins) -> row target[j] of dw (., ins), for each j < k.
template <class T>
void unified_dw(const T* kept, const std::int32_t* target, std::int64_t rows, std::int64_t k,
                const T* x, std::int64_t ins, T* dw, int threads) {
    constexpr std::int64_t kChunk = 64; // rows of a tile of x that fit the nearest cache
    parallel_apart(ceil_div(ins, kTile<T>), threads, [=](std::int64_t task) {
        const std::int64_t column = task * kTile<T>, width = smaller(kTile<T>, ins - column);
        const Buffer<T> tile(kChunk * kTile<T>), total(k * kTile<T>); // (rows, tile), (k, tile)
        for (std::int64_t i = 0; i < k * kTile<T>; ++i)
            total[i] = 0;
        for (std::int64_t start = 0; start < rows; start += kChunk) {
            const std::int64_t n = smaller(kChunk, rows - start);
            pack_tile<T>(x + start * ins, n, ins, column, tile);
            by_narrow_blocks(k, [&]<int R>(std::int64_t j) {
                TileSum<T> sums[R];
                for (int r = 0; r < R; ++r)
                    sums[r].read(total + (j + r) * kTile<T>, kTile<T>);
                add_outer<R, T>(kept + start * k + j, k, 1, tile, n, sums);
                for (int r = 0; r < R; ++r)
                    sums[r].write(total + (j + r) * kTile<T>, kTile<T>);
            });
        }
        for (std::int64_t j = 0; j < k; ++j) {
            TileSum<T> sum;
            sum.read(total + j * kTile<T>, kTile<T>);
            sum.write(dw + target[j] * ins + column, width);
        }
    });
}

// The complete pass. Writes the kept neurons. With `dw_of_kept`, dw has k rows: those of the kept
// neurons.
template <class T>
void unified_backward(LinearBackward<T> layer, std::int32_t* neurons, bool dw_of_kept,
                      int threads) {
    const auto [dy, x, weight, rows, outs, ins, k, dx, dw, db, hits] = layer;
    if (rows * outs < kSmall)
        threads = 1;
    const Buffer<T> both(2 * outs), largest(k), kept(rows * k);
    sum_columns<T>(dy, rows, outs, both, threads);
    RowSelector<T>(outs).select(both, k, neurons, largest);
    if (db) {
        for (std::int64_t o = 0; o < outs; ++o)
            db[o] = both[outs + o];
    }
    constexpr std::int64_t kRows = 64;
    // captured by name: clang 14 cannot capture structured bindings
    auto gather = [dy = dy, rows = rows, outs = outs, k = k, neurons, &kept](std::int64_t task) {
        const std::int64_t last = smaller(rows, (task + 1) * kRows);
        for (std::int64_t n = task * kRows; n < last; ++n) {
            for (std::int64_t j = 0; j < k; ++j)
                kept[n * k + j] = dy[n * outs + neurons[j]];
        }
    };
    parallel_for(ceil_div(rows, kRows), threads, gather);
    if (hits) {
        for (std::int64_t n = 0; n < rows; ++n) {
            for (std::int64_t j = 0; j < k; ++j)
                hits[neurons[j]] += kept[n * k + j] != 0;
        }
    }
    if (dx)
        unified_dx<T>(kept, neurons, rows, k, weight, ins, dx, threads);
    if (dw && dw_of_kept) {
        const Buffer<std::int32_t> rows_of_dw(k);
        for (std::int64_t j = 0; j < k; ++j)
            rows_of_dw[j] = static_cast<std::int32_t>(j);
        unified_dw<T>(kept, rows_of_dw, rows, k, x, ins, dw, threads);
    } else if (dw) {
        expect_writes(dw, static_cast<std::size_t>(outs * ins) * sizeof(T), threads);
        zero_other_rows(neurons, k, outs, ins, dw, threads);
        unified_dw<T>(kept, neurons, rows, k, x, ins, dw, threads);
    }
}

} // namespace meprop::MEPROP_ISA
