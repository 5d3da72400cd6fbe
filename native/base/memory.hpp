// Memory: pages for results that are about to be written, and each thread's stack for kernels.
#pragma once

#include <cstddef>

namespace meprop {

// Asks for huge pages in memory that is about to be written: a page fault costs more than filling
// the page. A block so large that the system has just given it gets its pages at once, shared out
// among the threads: where two of them are the first to write into one page, the system clears it
// twice. What stood in the block is lost. Small blocks are left alone.
void expect_writes(void* memory, std::size_t bytes, int threads);

// Takes memory from the calling thread's stack: 64-byte aligned, contents undefined. The stack
// keeps its memory from call to call, so that nothing is allocated once it is large enough.
void* push_memory(std::size_t bytes);

// Gives back what this thread took last and has not given back. Only Buffer (base/buffer.hpp)
// calls these two: its scope keeps the order.
void pop_memory(void* memory) noexcept;

} // namespace meprop
