// The memory that a kernel works in.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/memory.hpp"

namespace meprop::MEPROP_ISA {

// An array of n elements, 64-byte aligned, contents undefined, that belongs to its owner alone and
// ends with it. It decays to a pointer as an array does.
//
// Buffers are local variables or members of local variables. C++ destroys those in the reverse
// order of their construction, and the memory comes from a stack of the thread: two buffers that
// are alive never overlap, whoever calls whom, and a buffer costs a few nanoseconds.
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
    operator T*() const&& = delete; // the memory would be gone

 private:
    T* const data_;
};

} // namespace meprop::MEPROP_ISA
