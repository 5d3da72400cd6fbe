#include "base/memory.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#include "base/parallel.hpp"

namespace meprop {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

// glibc reuses freed blocks up to this size; larger blocks are mapped anew, without pages, each
// time.
constexpr std::size_t kReused = std::size_t{32} << 20;

using HugePage = std::array<std::byte, kHugePage>;

std::size_t rounded_up(std::size_t bytes, std::size_t step) {
    return (bytes + step - 1) / step * step;
}

// Asks for huge pages wherever one fits into the block and returns them; returns none if the system
// takes no such advice.
std::span<HugePage> advise_huge_pages(void* memory, std::size_t bytes) {
#if defined(__linux__)
    const std::size_t first = reinterpret_cast<std::size_t>(memory);
    const std::size_t start = rounded_up(first, kHugePage);
    const std::size_t end = (first + bytes) / kHugePage * kHugePage;
    if (start < end) {
        madvise(reinterpret_cast<void*>(start), end - start, MADV_HUGEPAGE);
        return {reinterpret_cast<HugePage*>(start), (end - start) / kHugePage};
    }
#else
    (void)memory, (void)bytes;
#endif
    return {};
}

struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
};

// With AddressSanitizer, the whole stack outside the buffers is poisoned, including a gap after
// each buffer.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kGap = 64;
void poison(void* memory, std::size_t bytes) {
    __asan_poison_memory_region(memory, bytes);
}
void unpoison(void* memory, std::size_t bytes) {
    __asan_unpoison_memory_region(memory, bytes);
}
#else
constexpr std::size_t kGap = 0;
void poison(void*, std::size_t) {}
void unpoison(void*, std::size_t) {}
#endif

struct Block {
    std::unique_ptr<std::byte, Free> memory;
    std::size_t size = 0;
    std::size_t used = 0; // only up to date while a later block is on top
};

Block allocated(std::size_t bytes) {
    const std::size_t alignment = bytes >= kHugePage ? kHugePage : 64;
    const std::size_t size = rounded_up(bytes, alignment);
    auto* const memory = static_cast<std::byte*>(std::aligned_alloc(alignment, size));
    if (!memory)
        throw std::bad_alloc();
    advise_huge_pages(memory, size);
    poison(memory, size);
    return {std::unique_ptr<std::byte, Free>(memory), size};
}

// The block that the thread's next buffer comes from.
struct Top {
    std::byte* start;
    std::byte* next; // start of the free part
    std::byte* end;
    bool is_only_block;
};
constinit thread_local Top top{};

// All blocks of a thread. A buffer that does not fit into the top block goes into another one. Once
// all buffers are gone, a single block replaces several, so that the next call fits into it.
class Blocks {
 public:
    // Puts a block on top that has room for `bytes`.
    void enter(std::size_t bytes) {
        std::size_t next = current_;
        if (top.next != top.start) {
            blocks_[current_].used = static_cast<std::size_t>(top.next - top.start);
            ++next;
        }
        if (next == blocks_.size())
            blocks_.emplace_back();
        if (blocks_[next].size < bytes) {
            blocks_[next] = {}; // free the old block first
            const std::size_t spacious = bytes + bytes / 4;
            blocks_[next] = allocated(next == 0 ? std::max(spacious, most_) : spacious);
        }
        current_ = next;
        std::size_t most = blocks_[next].size;
        for (std::size_t i = 0; i < next; ++i)
            most += blocks_[i].used;
        most_ = std::max(most_, most);
        use(0);
    }

    // Takes the top block off; it is empty, and not the only block.
    void leave() {
        if (current_ > 0) { // keep it for the next buffer that does not fit below
            --current_;
            use(blocks_[current_].used);
        } else {
            blocks_.clear();
            top = {};
        }
    }

 private:
    void use(std::size_t used) const {
        const Block& block = blocks_[current_];
        std::byte* const start = block.memory.get();
        top = {start, start + used, start + block.size, blocks_.size() == 1};
    }

    std::vector<Block> blocks_;
    std::size_t current_ = 0; // the top block; blocks below have buffers, blocks above have none
    std::size_t most_ = 0;    // upper bound of the bytes in use at one time
};
thread_local Blocks blocks;

} // namespace

void expect_writes(void* memory, std::size_t bytes, int threads) {
    const std::span<HugePage> pages = advise_huge_pages(memory, bytes);
    if (bytes > kReused) {
        parallel_for(static_cast<std::int64_t>(pages.size()), threads, [=](std::int64_t page) {
            pages[static_cast<std::size_t>(page)].front() = {};
        });
    }
}

void* push_memory(std::size_t bytes) {
    // Never zero, so a block is empty only if no buffer is in it.
    const std::size_t size = rounded_up(std::max<std::size_t>(bytes, 1), 64) + kGap;
    if (size > static_cast<std::size_t>(top.end - top.next))
        blocks.enter(size);
    std::byte* const memory = top.next;
    top.next += size;
    unpoison(memory, bytes);
    return memory;
}

void pop_memory(void* memory) noexcept {
    auto* const start = static_cast<std::byte*>(memory);
    poison(start, static_cast<std::size_t>(top.next - start));
    top.next = start;
    if (start == top.start && !top.is_only_block)
        blocks.leave();
}

} // namespace meprop
