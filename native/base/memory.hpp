// Memory: pages for results, and a stack of working memory for each thread.
#pragma once

#include <cstddef>

namespace meprop {

// Prepares memory that is about to be overwritten: asks for huge pages, because a page fault costs
// more than filling the page. If the block is so large that the allocator has just mapped it, the
// threads also touch its pages, one thread per page: when two threads touch a page first, the
// system clears it twice. Destroys the contents. Has no effect on small blocks.
void expect_writes(void* memory, std::size_t bytes, int threads);

// Takes memory from the calling thread's stack: 64-byte aligned, contents undefined. The stack
// keeps its memory between calls, so it stops allocating once it is large enough.
void* push_memory(std::size_t bytes);

// Returns the memory that the calling thread took last. Only Buffer (base/buffer.hpp) calls these
// two functions: scopes guarantee the order.
void pop_memory(void* memory) noexcept;

} // namespace meprop
