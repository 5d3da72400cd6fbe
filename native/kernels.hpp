// The table of kernels of one instruction set, and the choice among them.
//
// Pointers are to C-contiguous arrays, sizes are in elements, `threads` is an upper limit. Nothing
// is allocated for the caller, and nothing is checked: the border in bindings.cpp does that.
#pragma once

#include <cstdint>

namespace meprop {

template <class T>
struct KernelsOf {
    void (*select_topk)(const T* dy, std::int64_t rows, std::int64_t width, std::int64_t k,
                        std::int32_t* index, T* value, int threads);
    void (*sparse_dx)(const std::int32_t* index, const T* value, std::int64_t rows, std::int64_t k,
                      const T* weight, std::int64_t outs, std::int64_t ins, T* dx, int threads);
    void (*sparse_dw)(const std::int32_t* index, const T* value, std::int64_t rows, std::int64_t k,
                      const T* x, std::int64_t outs, std::int64_t ins, T* dw, int threads);
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
