// The table of kernels of one instruction set, and the choice among them.
//
// Pointers are to C-contiguous arrays, sizes are in elements, `threads` is an upper limit. Nothing
// is allocated for the caller, and nothing is checked: the border in bindings.cpp does that.
#pragma once

#include <cstdint>

namespace meprop {

// The time steps of packed sequences: sizes[t] rows from row first[t] on.
struct Steps {
    const std::int64_t* first;
    const std::int64_t* sizes;
    std::int64_t n;
    bool reverse;  // whether the last step is visited first

    std::int64_t visited(std::int64_t i) const { return reverse ? n - 1 - i : i; }
};

template <class T>
struct KernelsOf {
    void (*select_topk)(const T* dy, std::int64_t rows, std::int64_t width, std::int64_t k,
                        std::int32_t* index, T* value, int threads);
    void (*sparse_dx)(const std::int32_t* index, const T* value, std::int64_t rows, std::int64_t k,
                      const T* weight, std::int64_t outs, std::int64_t ins, T* dx, int threads);
    void (*sparse_dw)(const std::int32_t* index, const T* value, std::int64_t rows, std::int64_t k,
                      const T* x, std::int64_t outs, std::int64_t ins, T* dw, int threads);
    void (*lstm_forward)(const T* x, const T* h0, const T* c0, const T* weight_ih,
                         const T* weight_hh, const T* bias, std::int64_t ins, std::int64_t units,
                         std::int64_t sequences, Steps steps, T* output, T* h_n, T* c_n, T* gates,
                         T* tanh_c, T* h_prev, T* c_prev, int threads);
    void (*lstm_backward)(const T* doutput, const T* weight_hh, const T* gates, const T* tanh_c,
                          const T* c_prev, std::int64_t units, std::int64_t sequences, Steps steps,
                          std::int64_t k, T* dh, T* dc, std::int32_t* index, T* value, T* db,
                          int threads);
};

struct Kernels {
    const char* name;
    KernelsOf<float> f32;
    KernelsOf<double> f64;
};

template <class T>
const KernelsOf<T>& of(const Kernels& kernels);
template <>
inline const KernelsOf<float>& of<float>(const Kernels& kernels) {
    return kernels.f32;
}
template <>
inline const KernelsOf<double>& of<double>(const Kernels& kernels) {
    return kernels.f64;
}

}  // namespace meprop
