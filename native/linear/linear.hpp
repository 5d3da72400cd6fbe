// The two products of a linear layer's backward pass, over the selected entries only (meProp,
// section 2.1):
//
//   dx[n] = sum over the kept o of dy[n, o] * weight[o]        (N, I)
//   dw[o] = sum over the n that kept o of dy[n, o] * x[n]      (O, I)
//
// Both go through the I columns tile by tile. The matrix that is read at random is packed into a
// tile that fits the nearest caches, and each row of the result is summed in registers. Sums are in
// the type of the data and run over the selected indices in increasing order (dx) and over the rows
// in increasing order (dw), whatever the number of threads.
#pragma once

#include "base/buffer.hpp"
#include "base/counting_sort.hpp"
#include "base/parallel.hpp"
#include "base/simd.hpp"
#include "kernels.hpp"
#include "linear/topk.hpp"

namespace meprop::MEPROP_ISA {

constexpr int kTileVectors =
    kVectorBytes == 64 ? 4 : 8; // as many accumulators as fit the registers
template <class T>
constexpr std::int64_t kTile = kTileVectors * kLanes<T>;

// Packs columns [first, first + kTile) of a (rows, columns) matrix; zeros beyond its last column.
template <class T>
inline void pack_tile(const T* matrix, std::int64_t rows, std::int64_t columns, std::int64_t first,
                      T* tile) {
    const std::int64_t width = smaller(kTile<T>, columns - first);
    for (std::int64_t r = 0; r < rows; ++r, tile += kTile<T>) {
        const T* row = matrix + r * columns + first;
        if (width == kTile<T>) {
            for (int v = 0; v < kTileVectors; ++v) {
                store(tile + v * kLanes<T>, load(row + v * kLanes<T>));
            }
        } else {
            for (std::int64_t c = 0; c < width; ++c)
                tile[c] = row[c];
            for (std::int64_t c = width; c < kTile<T>; ++c)
                tile[c] = 0;
        }
    }
}

template <class T>
struct TileSum {
    Vector<T> sum[kTileVectors];

    void clear() {
        for (auto& s : sum)
            s = Vector<T>{};
    }
    void read(const T* row, std::int64_t width) {
        if (width == kTile<T>) {
            for (int v = 0; v < kTileVectors; ++v)
                sum[v] = load(row + v * kLanes<T>);
        } else {
            T whole[kTile<T>] = {};
            for (std::int64_t c = 0; c < width; ++c)
                whole[c] = row[c];
            for (int v = 0; v < kTileVectors; ++v)
                sum[v] = load(whole + v * kLanes<T>);
        }
    }
    void add(T factor, const T* row) {
        const Vector<T> f = splat(factor);
        for (int v = 0; v < kTileVectors; ++v)
            sum[v] += f * load(row + v * kLanes<T>);
    }
    void write(T* row, std::int64_t width) const {
        if (width == kTile<T>) {
            for (int v = 0; v < kTileVectors; ++v)
                store(row + v * kLanes<T>, sum[v]);
        } else {
            T whole[kTile<T>];
            for (int v = 0; v < kTileVectors; ++v)
                store(whole + v * kLanes<T>, sum[v]);
            for (std::int64_t c = 0; c < width; ++c)
                row[c] = whole[c];
        }
    }
    // `past_cache` is the result of `streams`.
    void write(T* row, std::int64_t width, bool past_cache) const {
        if (past_cache && width == kTile<T>) {
            for (int v = 0; v < kTileVectors; ++v)
                stream(row + v * kLanes<T>, sum[v]);
        } else {
            write(row, width);
        }
    }
};

// A result of this size does not stay in the caches, so writes bypass them.
constexpr std::int64_t kStreamBytes = std::int64_t{8} << 20;

// Whether tiles of a (rows, columns) result are written past the caches: nothing reads them while
// they would still be there.
template <class T>
inline bool streams(const T* result, std::int64_t rows, std::int64_t columns) {
    return kCanStream<T> && columns % kLanes<T> == 0 && is_aligned(result) &&
           rows * columns * static_cast<std::int64_t>(sizeof(T)) >= kStreamBytes;
}

// index, value (rows, k); weight (outs, ins) -> dx (rows, ins).
template <class T>
void sparse_dx(const std::int32_t* index, const T* value, std::int64_t rows, std::int64_t k,
               const T* weight, std::int64_t outs, std::int64_t ins, T* dx, int threads) {
    expect_writes(dx, static_cast<std::size_t>(rows * ins) * sizeof(T), threads);
    if (rows * k < outs) { // packing the weights would cost more than using them
        parallel_for(rows, rows * k * ins < kSmall ? 1 : threads, [=](std::int64_t n) {
            T* __restrict sum = dx + n * ins;
            for (std::int64_t c = 0; c < ins; ++c)
                sum[c] = 0;
            for (std::int64_t j = n * k; j < (n + 1) * k; ++j) {
                const T* __restrict row = weight + index[j] * ins;
                for (std::int64_t c = 0; c < ins; ++c)
                    sum[c] += value[j] * row[c];
            }
        });
        return;
    }
    const bool stream = streams(dx, rows, ins);
    const std::int64_t tiles = ceil_div(ins, kTile<T>);
    // with few tiles, split the rows as well so that every thread has work
    const std::int64_t parts =
        tiles < 4 * threads ? larger<std::int64_t>(1, smaller<std::int64_t>(4, rows / 128)) : 1;
    const std::int64_t part_rows = ceil_div(rows, parts);
    if (rows * k * ins < kSmall)
        threads = 1;
    parallel_apart(tiles * parts, threads, [=](std::int64_t task) {
        const std::int64_t column = task / parts * kTile<T>, first = task % parts * part_rows;
        const std::int64_t last = smaller(rows, first + part_rows);
        const std::int64_t width = smaller(kTile<T>, ins - column);
        const Buffer<T> tile(outs * kTile<T>);
        pack_tile<T>(weight, outs, ins, column, tile);
        for (std::int64_t n = first; n < last; ++n) {
            TileSum<T> sum;
            sum.clear();
            for (std::int64_t j = n * k; j < (n + 1) * k; ++j) {
                sum.add(value[j], tile + index[j] * kTile<T>);
            }
            sum.write(dx + n * ins + column, width, stream);
        }
    });
}

// The selected entries sorted by neuron and then by row, the order in which dw is summed.
//
// The rows are split into chunks, so that a chunk's part of a tile of x stays in the nearest
// caches. In a chunk, the entries of neuron o are begin(chunk)[o] to begin(chunk)[o + 1] - 1. Zeros
// are omitted.
template <class T>
class RowIndex {
 public:
    RowIndex(const std::int32_t* index, const T* values, std::int64_t rows, std::int64_t k,
             std::int64_t outs, int threads)
        : chunk_rows(larger<std::int64_t>(
              256, smaller<std::int64_t>(1024, ceil_div(rows, larger(threads, 1))))),
          chunks(ceil_div(rows, chunk_rows)), outs_(outs), begin_(chunks * (outs + 1)),
          value(rows * k), row(rows * k) {
        parallel_for(chunks, threads, [=, this](std::int64_t chunk) {
            sort(chunk, index, values, smaller(rows - chunk * chunk_rows, chunk_rows), k);
        });
    }

    const std::int64_t* begin(std::int64_t chunk) const { return begin_ + chunk * (outs_ + 1); }

    const std::int64_t chunk_rows, chunks;

 private:
    void sort(std::int64_t chunk, const std::int32_t* index, const T* values, std::int64_t rows,
              std::int64_t k) const {
        // a chunk's entries keep the range of its rows' entries, so no chunk waits for another
        const std::int64_t start = chunk * chunk_rows * k;
        index += start, values += start;
        std::int64_t* next = begin_ + chunk * (outs_ + 1); // next[o + 1]: where o's next entry goes
        for (std::int64_t o = 0; o <= outs_; ++o)
            next[o] = 0;
        for (std::int64_t j = 0; j < rows * k; ++j)
            next[index[j] + 1] += values[j] != 0;
        offsets_from_counts(next, outs_, start);
        for (std::int64_t n = 0, j = 0; n < rows; ++n) {
            for (const std::int64_t row_end = j + k; j < row_end; ++j) {
                if (values[j] == 0)
                    continue;
                const std::int64_t position = next[index[j] + 1]++;
                row[position] = static_cast<std::int32_t>(n);
                value[position] = values[j];
            }
        }
        // now next[o + 1] is where neuron o ends and neuron o + 1 begins
    }

    const std::int64_t outs_;
    const Buffer<std::int64_t> begin_;

 public:
    const Buffer<T> value;
    const Buffer<std::int32_t> row; // within the chunk
};

// sparse_dw for few rows of x per neuron: packing them would cost more than adding them.
template <class T>
void add_whole_rows(const RowIndex<T>& sorted, std::int64_t rows, const T* x, std::int64_t outs,
                    std::int64_t ins, T* dw, int threads) {
    const std::int64_t each = ceil_div(outs, 4 * threads);
    parallel_for(ceil_div(outs, each), threads, [=, &sorted](std::int64_t task) {
        for (std::int64_t o = task * each; o < smaller(outs, (task + 1) * each); ++o) {
            T* __restrict sum = dw + o * ins;
            bool is_first = true;
            for (std::int64_t chunk = 0; chunk < ceil_div(rows, sorted.chunk_rows); ++chunk) {
                const std::int64_t* begin = sorted.begin(chunk);
                for (std::int64_t j = begin[o]; j < begin[o + 1]; ++j, is_first = false) {
                    const T factor = sorted.value[j];
                    const T* __restrict row = x + (chunk * sorted.chunk_rows + sorted.row[j]) * ins;
                    for (std::int64_t c = 0; c < ins; ++c)
                        sum[c] = is_first ? factor * row[c] : sum[c] + factor * row[c];
                }
            }
            if (is_first)
                std::memset(sum, 0, static_cast<std::size_t>(ins) * sizeof(T));
        }
    });
}

// index, value (rows, k); x (rows, ins) -> dw (outs, ins).
template <class T>
void sparse_dw(const std::int32_t* index, const T* value, std::int64_t rows, std::int64_t k,
               const T* x, std::int64_t outs, std::int64_t ins, T* dw, int threads) {
    expect_writes(dw, static_cast<std::size_t>(outs * ins) * sizeof(T), threads);
    if (rows * k * ins < kSmall && outs * ins < kSmall)
        threads = 1;
    const RowIndex<T> entries(index, value, rows, k, outs, threads);
    const RowIndex<T>* const sorted = &entries;
    if (rows * k <= 2 * outs) {
        add_whole_rows(*sorted, rows, x, outs, ins, dw, threads);
        return;
    }
    const std::int64_t tiles = ceil_div(ins, kTile<T>);
    // with few tiles, split the neurons as well so that every thread has work
    const std::int64_t parts =
        threads > 1 && tiles < 2 * threads ? smaller<std::int64_t>(4, ceil_div(outs, 64)) : 1;
    const std::int64_t part_outs = ceil_div(outs, parts);
    parallel_apart(tiles * parts, threads, [=](std::int64_t task) {
        const std::int64_t column = task / parts * kTile<T>, first = task % parts * part_outs;
        const std::int64_t last = smaller(outs, first + part_outs);
        const std::int64_t width = smaller(kTile<T>, ins - column);
        const Buffer<T> tile(sorted->chunk_rows * kTile<T>);
        for (std::int64_t chunk = 0; chunk < larger<std::int64_t>(sorted->chunks, 1); ++chunk) {
            const std::int64_t start = chunk * sorted->chunk_rows;
            pack_tile<T>(x + start * ins, smaller(sorted->chunk_rows, rows - start), ins, column,
                         tile);
            const std::int64_t* begin = sorted->begin(chunk);
            for (std::int64_t o = first; o < last; ++o) {
                T* target = dw + o * ins + column;
                TileSum<T> sum;
                if (chunk == 0) {
                    sum.clear();
                } else if (begin[o] == begin[o + 1]) {
                    continue;
                } else {
                    sum.read(target, width);
                }
                const std::int64_t end = rows > 0 ? begin[o + 1] : 0;
                for (std::int64_t j = rows > 0 ? begin[o] : 0; j < end; ++j) {
                    sum.add(sorted->value[j], tile + sorted->row[j] * kTile<T>);
                }
                sum.write(target, width);
            }
        }
    });
}

// The complete backward pass when each example keeps its own k entries.
template <class T>
void example_backward(LinearBackward<T> layer, int threads) {
    const auto [dy, x, weight, rows, outs, ins, k, dx, dw, db, hits] = layer;
    const Buffer<std::int32_t> index(rows * k);
    const Buffer<T> value(rows * k);
    select_topk<T>(dy, rows, outs, k, index, value, db, hits, threads);
    if (dx)
        sparse_dx<T>(index, value, rows, k, weight, outs, ins, dx, threads);
    if (dw)
        sparse_dw<T>(index, value, rows, k, x, outs, ins, dw, threads);
}

} // namespace meprop::MEPROP_ISA
