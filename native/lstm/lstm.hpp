// One layer of an LSTM in one direction over packed sequences, forward and backward.
//
// Packed: the rows of all time steps one below the other. Step t has sizes[t] rows, a number that
// never increases with t; row b of a step belongs to sequence b. Gates are in PyTorch's order i, f,
// g, o. The formulas are beside LSTMFunction in meprop_nlp/nn/functional.py.
#pragma once

#include "base/buffer.hpp"
#include "base/math.hpp"
#include "base/parallel.hpp"
#include "base/products.hpp"
#include "base/simd.hpp"
#include "kernels.hpp"
#include "linear/topk.hpp"

namespace meprop::MEPROP_ISA {

constexpr int kGates = 4;

// Packs the recurrent weights of one vector of units for all four gates:
// [panel][input][gate][lane].
template <class T>
inline void pack_panel(const T* weight_hh, std::int64_t units, std::int64_t panel, T* packed) {
    constexpr std::int64_t L = kLanes<T>;
    for (int gate = 0; gate < kGates; ++gate) {
        for (std::int64_t lane = 0; lane < L; ++lane) {
            const std::int64_t unit = panel * L + lane, row = gate * units + unit;
            T* target = packed + gate * L + lane;
            for (std::int64_t c = 0; c < units; ++c, target += kGates * L)
                *target = unit < units ? weight_hh[row * units + c] : T{0};
        }
    }
}

template <class T>
inline void store_lanes(T* p, Vector<T> v, std::int64_t width) {
    if (width >= kLanes<T>) {
        store(p, v);
    } else {
        for (std::int64_t i = 0; i < width; ++i)
            p[i] = v[i];
    }
}

template <class T>
inline Vector<T> load_lanes(const T* p, std::int64_t width) {
    if (width >= kLanes<T>)
        return load(p);
    Vector<T> v{};
    for (std::int64_t i = 0; i < width; ++i)
        v[i] = p[i];
    return v;
}

// The inputs and outputs of the forward pass; see lstm_forward.
template <class T>
struct LSTMForward {
    const T *h0, *c0;
    std::int64_t units;
    T *output, *c, *gates, *tanh_c, *h_prev, *c_prev;

    // Rows [first, first + R) of a step, for the units of one panel. The previous step has `alive`
    // rows, starting at row `previous` of the output; the other rows start from h0 and c0.
    template <int R>
    void block(std::int64_t start, std::int64_t first, std::int64_t previous, std::int64_t alive,
               std::int64_t panel, const T* packed) const {
        const std::int64_t unit = panel * kLanes<T>, width = units - unit;
        const T* hidden[R];
        Vector<T> sums[R][kGates];
        for (int r = 0; r < R; ++r) {
            const std::int64_t b = first + r;
            hidden[r] = b < alive ? output + (previous + b) * units : h0 + b * units;
            const T* row = gates + (start + b) * kGates * units + unit;
            for (int gate = 0; gate < kGates; ++gate)
                sums[r][gate] = load_lanes(row + gate * units, width);
        }
        add_products<R>(hidden, units, packed, sums);
        for (int r = 0; r < R; ++r) {
            const std::int64_t b = first + r, at = (start + b) * units + unit;
            const Vector<T> i = sigmoid(sums[r][0]), f = sigmoid(sums[r][1]);
            const Vector<T> g = tanh(sums[r][2]), o = sigmoid(sums[r][3]);
            T* state = c + b * units + unit;
            const Vector<T> before = load_lanes(b < alive ? state : c0 + b * units + unit, width);
            const Vector<T> after = f * before + i * g, squashed = tanh(after);
            store_lanes(state, after, width);
            store_lanes(output + at, o * squashed, width);
            store_lanes(tanh_c + at, squashed, width);
            store_lanes(c_prev + at, before, width);
            store_lanes(h_prev + at, load_lanes(hidden[r] + unit, width), width);
            T* row = gates + (start + b) * kGates * units + unit;
            store_lanes(row, i, width);
            store_lanes(row + units, f, width);
            store_lanes(row + 2 * units, g, width);
            store_lanes(row + 3 * units, o, width);
        }
    }

    // The same for a number of rows from 1 to R.
    template <int R>
    void rows(int n, std::int64_t start, std::int64_t first, std::int64_t previous,
              std::int64_t alive, std::int64_t panel, const T* packed) const {
        if (n == R) {
            block<R>(start, first, previous, alive, panel, packed);
        } else if constexpr (R > 1) {
            rows<R - 1>(n, start, first, previous, alive, panel, packed);
        }
    }
};

// h0 and c0 (B, H), weight_hh (4H, H), gates (N, 4H) with what input and bias add to the gates ->
// output, tanh_c, h_prev, c_prev (N, H), activated gates in place, h_n and c_n (B, H).
//
// A step reads all weights anew. The recurrent ones alone often stay in the second cache; the
// product of all inputs is one of many rows, which a BLAS computes much faster than each step
// could.
template <class T>
void lstm_forward(const T* h0, const T* c0, const T* weight_hh, std::int64_t units,
                  std::int64_t sequences, Steps steps, T* output, T* h_n, T* c_n, T* gates,
                  T* tanh_c, T* h_prev, T* c_prev, int threads) {
    const std::int64_t panels = ceil_div(units, kLanes<T>);
    const std::int64_t panel_size = units * kGates * kLanes<T>;
    const Buffer<T> packed(panels * panel_size);
    parallel_for(panels, threads, [=, &packed](std::int64_t panel) {
        pack_panel(weight_hh, units, panel, packed + panel * panel_size);
    });
    const LSTMForward<T> forward{h0, c0, units, output, c_n, gates, tanh_c, h_prev, c_prev};
    std::int64_t previous = 0, alive = 0;
    for (std::int64_t i = 0; i < steps.n; ++i) {
        const std::int64_t start = steps.first[steps.visited(i)];
        const std::int64_t rows = steps.sizes[steps.visited(i)];
        parallel_apart(panels, threads, [=, &packed](std::int64_t panel) {
            const T* weights = packed + panel * panel_size;
            // blocks of about the same number of rows: a last one of one row takes half the time of
            // a full one
            const std::int64_t blocks = ceil_div(rows, kBlock);
            for (std::int64_t i = 0; i < blocks; ++i) {
                const std::int64_t first = rows * i / blocks, last = rows * (i + 1) / blocks;
                forward.template rows<kBlock>(static_cast<int>(last - first), start, first,
                                              previous, alive, panel, weights);
            }
        });
        previous = start, alive = rows;
    }
    // A sequence ends at its last step when read forwards, at its first when read backwards.
    for (std::int64_t b = 0; b < sequences; ++b) {
        const T* last = h0 + b * units;
        for (std::int64_t t = 0; t < steps.n && steps.sizes[t] > b; ++t) {
            last = output + (steps.first[t] + b) * units;
            if (steps.reverse)
                break;
        }
        for (std::int64_t u = 0; u < units; ++u) {
            h_n[b * units + u] = last[u];
            if (steps.n == 0)
                c_n[b * units + u] = c0[b * units + u];
        }
    }
}

// The inputs and outputs of the backward pass of one sequence; see lstm_backward.
template <class T>
struct LSTMBackward {
    const T *doutput, *weight_hh, *gates, *tanh_c, *c_prev;
    std::int64_t units, k;
    std::int32_t* index;
    T* value;

    // Computes the gate gradients da (4H) of one row from the gradients of its output (dh) and its
    // cell (dc), and replaces dc by the gradient of the previous cell.
    void gate_gradients(std::int64_t row, const T* __restrict dh, T* __restrict dc,
                        T* __restrict da) const {
        const std::int64_t H = units;
        const T* __restrict i = gates + row * kGates * H, * __restrict f = i + H;
        const T* __restrict g = f + H, * __restrict o = g + H;
        const T* __restrict tc = tanh_c + row * H, * __restrict c = c_prev + row * H;
        const T* __restrict dy = doutput + row * H;
        for (std::int64_t u = 0; u < H; ++u) {
            const T dhu = dh[u] + dy[u];
            const T dcu = dc[u] + dhu * (o[u] * (1 - tc[u] * tc[u]));
            const T di = dcu * (g[u] * i[u] * (1 - i[u])), df = dcu * (c[u] * f[u] * (1 - f[u]));
            const T dg = dcu * (i[u] * (1 - g[u] * g[u])), d_o = dhu * (tc[u] * o[u] * (1 - o[u]));
            da[u] = di, da[H + u] = df, da[2 * H + u] = dg, da[3 * H + u] = d_o;
            dc[u] = dcu * f[u];
        }
    }

    // dh (H) = sum of the kept entries times their rows of weight_hh. Not inlined, because its
    // loop needs all registers.
    [[gnu::noinline]] void hidden_gradient(const std::int32_t* kept, const T* values,
                                           T* __restrict dh) const {
        for (std::int64_t u = 0; u < units; ++u)
            dh[u] = 0;
        const std::int64_t n = kGates * k; // a multiple of four
        for (std::int64_t j = 0; j < n; j += 4) {
            const T* __restrict a = weight_hh + kept[j] * units;
            const T* __restrict b = weight_hh + kept[j + 1] * units;
            const T* __restrict c = weight_hh + kept[j + 2] * units;
            const T* __restrict d = weight_hh + kept[j + 3] * units;
            const T va = values[j], vb = values[j + 1], vc = values[j + 2], vd = values[j + 3];
            // the rows are far away in memory: prefetch the next four while these are summed
            const T* next[4];
            for (int r = 0; r < 4; ++r)
                next[r] = weight_hh + kept[smaller(j + 4 + r, n - 1)] * units;
            const Vector<T> fa = splat(va), fb = splat(vb), fc = splat(vc), fd = splat(vd);
            std::int64_t u = 0;
            for (; u + kLanes<T> <= units; u += kLanes<T>) {
                for (const T* row : next)
                    __builtin_prefetch(row + u);
                store(dh + u, load(dh + u) + fa * load(a + u) + fb * load(b + u) +
                                  fc * load(c + u) + fd * load(d + u));
            }
            for (; u < units; ++u)
                dh[u] += va * a[u] + vb * b[u] + vc * c[u] + vd * d[u];
        }
    }

    // All steps of sequence b, in reverse order of the forward pass.
    void sequence(std::int64_t b, Steps steps, T* dh, T* dc, T* da, T* db) const {
        std::int64_t length = 0;
        while (length < steps.n && steps.sizes[length] > b)
            ++length;
        RowSelector<T> selector(units);
        typename RowSelector<T>::Guess guesses[kGates] = {};
        for (std::int64_t i = 0; i < length; ++i) {
            const std::int64_t row = steps.first[steps.reverse ? i : length - 1 - i] + b;
            std::int32_t* kept = index + row * kGates * k;
            T* values = value + row * kGates * k;
            gate_gradients(row, dh, dc, da);
            add_row(da, kGates * units, db, false);
            for (int gate = 0; gate < kGates; ++gate) {
                std::int32_t* of_gate = kept + gate * k;
                selector.select(da + gate * units, k, of_gate, values + gate * k, guesses[gate]);
                const auto offset = static_cast<std::int32_t>(gate * units);
                for (std::int64_t j = 0; j < k; ++j)
                    of_gate[j] += offset;
            }
            hidden_gradient(kept, values, dh);
        }
    }
};

// Backpropagation through time; each step keeps k gradients of each gate (1 <= k <= H).
//
// doutput, tanh_c, c_prev (N, H), gates (N, 4H), weight_hh (4H, H); dh and dc (B, H) hold dh_n and
// dc_n on entry, and dh0 and dc0 on return. Writes the kept entries, index (N, 4k) into the 4H
// gates and value (N, 4k), and db (4H), the sum of all gate gradients before the selection.
// Sequences are independent of each other, so threads do not wait for each other between steps.
template <class T>
void lstm_backward(const T* doutput, const T* weight_hh, const T* gates, const T* tanh_c,
                   const T* c_prev, std::int64_t units, std::int64_t sequences, Steps steps,
                   std::int64_t k, T* dh, T* dc, std::int32_t* index, T* value, T* db,
                   int threads) {
    constexpr std::int64_t kMaxGroups = 64; // bounds the memory of the partial sums of db
    const std::int64_t group = larger<std::int64_t>(1, ceil_div(sequences, kMaxGroups));
    const std::int64_t groups = ceil_div(sequences, group), width = kGates * units;
    const Buffer<T> partial(groups * width);
    const LSTMBackward<T> backward{doutput, weight_hh, gates, tanh_c, c_prev,
                                   units,   k,         index, value};
    parallel_for(groups, threads, [=, &partial](std::int64_t task) {
        const Buffer<T> da(width);
        T* own = partial + task * width;
        for (std::int64_t u = 0; u < width; ++u)
            own[u] = 0;
        const std::int64_t last = smaller(sequences, (task + 1) * group);
        for (std::int64_t b = task * group; b < last; ++b) {
            backward.sequence(b, steps, dh + b * units, dc + b * units, da, own);
        }
    });
    for (std::int64_t u = 0; u < width; ++u)
        db[u] = 0;
    for (std::int64_t part = 0; part < groups; ++part) {
        for (std::int64_t u = 0; u < width; ++u)
            db[u] += partial[part * width + u];
    }
}

} // namespace meprop::MEPROP_ISA
