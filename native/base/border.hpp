// Shared by the bindings: array types, and checks that throw.
//
// Every shape is checked at this border, so a mistake raises an exception and never crashes. Types
// are checked in array.hpp, where they select the overload.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <stdexcept>

#include "base/array.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace meprop::border {

template <class T>
using Matrix = Array<T, 2>;
template <class T>
using Row = Array<T, 1>;
using Index = std::int32_t;

inline std::int64_t size(const auto& array, int dimension) {
    return static_cast<std::int64_t>(array.shape(dimension));
}

inline void require(bool holds, const char* what) {
    if (!holds)
        throw std::invalid_argument(what);
}

inline int checked_threads(int threads) {
    require(threads >= 1, "threads must be at least 1");
    return threads < 1024 ? threads : 1024;
}

// Kernels follow indices unchecked; this pass is cheap compared with the products.
inline void require_indices(const Matrix<const Index>& index, std::int64_t width) {
    const std::int64_t n = index.size();
    bool in_range = true;
    for (std::int64_t i = 0; i < n; ++i) {
        in_range &= static_cast<std::uint32_t>(index.data()[i]) < static_cast<std::uint64_t>(width);
    }
    require(in_range, "an index is outside the width");
}

// Checks the bounds of sentences with n words in total.
inline void require_bounds(const Row<const Index>& bounds, std::size_t n) {
    const std::int64_t size = border::size(bounds, 0);
    const Index* at = bounds.data();
    require(size >= 1 && at[0] == 0 && static_cast<std::size_t>(at[size - 1]) == n,
            "bounds must begin with 0 and end with the number of words");
    for (std::int64_t i = 1; i < size; ++i)
        require(at[i - 1] <= at[i], "bounds must not fall");
}

inline bool has_shape(const auto& array, std::int64_t rows, std::int64_t columns) {
    return size(array, 0) == rows && size(array, 1) == columns;
}

} // namespace meprop::border
