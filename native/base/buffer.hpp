// The working memory of a kernel.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/memory.hpp"

namespace meprop::MEPROP_ISA {

// An array of n elements that lives as long as this object: 64-byte aligned, contents undefined.
// Decays to a pointer, like an array.
//
// Buffers are local variables, or members of local variables. C++ destroys these in reverse order
// of construction, so the memory can come from a per-thread stack: live buffers never overlap, no
// matter which function calls which, and a buffer costs a few nanoseconds.
template <class T>
class Buffer {
 public:
    explicit Buffer(std::int64_t n)
        : data_(static_cast<T*>(push_memory(static_cast<std::size_t>(n) * sizeof(T)))) {}
    ~Buffer() { pop_memory(data_); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    static void* operator new(std::size_t) = delete;

    operator T*() const& { return data_; }
    operator T*() const&& = delete; // the pointer would dangle

 private:
    T* const data_;
};

} // namespace meprop::MEPROP_ISA
