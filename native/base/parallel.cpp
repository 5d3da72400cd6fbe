#include "base/parallel.hpp"

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace meprop {
namespace {

OpenMPParallel openmp_parallel = nullptr;
std::atomic<bool> forked{false};

#if defined(__unix__) || defined(__APPLE__)
const int fork_handler = pthread_atfork(nullptr, nullptr, [] { forked = true; });
#endif

struct Job {
    std::int64_t n;
    Task task;
    void* context;
    std::atomic<std::int64_t> next{0};

    void work() {
        for (std::int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < n;) {
            task(context, i);
        }
    }
};

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};

struct Buffer {
    std::unique_ptr<void, Free> memory;
    std::size_t size = 0;
};

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t rounded_up(std::size_t bytes, std::size_t step) {
    return (bytes + step - 1) / step * step;
}

// glibc keeps blocks of at most so many bytes when they are freed; larger ones come from the
// system, without pages, each time.
constexpr std::size_t kReused = std::size_t{32} << 20;

using HugePage = std::array<std::byte, kHugePage>;

// Asks for huge pages where they lie whole in a block, and returns those; none where the system
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

} // namespace

void use_openmp_runtime(OpenMPParallel entry) {
    openmp_parallel = entry;
}

void run_tasks(std::int64_t n, int threads, Task task, void* context) {
    Job job{n, task, context};
    if (threads > n)
        threads = static_cast<int>(n);
    if (threads <= 1 || forked) {
        job.work();
    } else if (openmp_parallel) {
        openmp_parallel([](void* job) { static_cast<Job*>(job)->work(); }, &job,
                        static_cast<unsigned>(threads), 0);
    } else {
        std::vector<std::thread> helpers;
        helpers.reserve(static_cast<std::size_t>(threads - 1));
        for (int i = 1; i < threads; ++i)
            helpers.emplace_back([&job] { job.work(); });
        job.work();
        for (std::thread& helper : helpers)
            helper.join();
    }
}

void expect_writes(void* memory, std::size_t bytes, int threads) {
    const std::span<HugePage> pages = advise_huge_pages(memory, bytes);
    if (bytes > kReused) {
        parallel_for(static_cast<std::int64_t>(pages.size()), threads, [=](std::int64_t page) {
            pages[static_cast<std::size_t>(page)].front() = {};
        });
    }
}

void* scratch_bytes(Scratch purpose, std::size_t bytes) {
    thread_local std::array<Buffer, static_cast<std::size_t>(Scratch::count_)> buffers;
    Buffer& buffer = buffers[static_cast<std::size_t>(purpose)];
    if (buffer.size < bytes) {
        buffer.memory.reset();
        buffer.size = 0;
        const bool large = bytes >= kHugePage;
        const std::size_t alignment = large ? kHugePage : 64;
        const std::size_t size = rounded_up(bytes + bytes / 4, alignment);
        buffer.memory.reset(std::aligned_alloc(alignment, size));
        if (!buffer.memory)
            throw std::bad_alloc();
        buffer.size = size;
        advise_huge_pages(buffer.memory.get(), size);
    }
    return buffer.memory.get();
}

} // namespace meprop
