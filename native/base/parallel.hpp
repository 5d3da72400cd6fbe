// Tasks spread over threads, and scratch memory that each thread keeps from call to call.
//
// The threads are PyTorch's own where it has an OpenMP runtime (`use_openmp_runtime`): two pools
// that spin on the same cores cost more than they give. Otherwise plain threads are started.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace meprop {

using Task = void (*)(void* context, std::int64_t task);

// GOMP_parallel of libgomp and of libomp: runs `body(context)` once in each of `threads` threads.
using OpenMPParallel = void (*)(void (*body)(void*), void* context, unsigned threads,
                                unsigned flags);

// Null means plain threads. Not to be called while kernels run.
void use_openmp_runtime(OpenMPParallel entry);

// Runs tasks 0 to n - 1, each once, on up to `threads` threads, and returns when all are done.
// In a child after fork() it runs on the calling thread alone: the pool did not come along.
void run_tasks(std::int64_t n, int threads, Task task, void* context);

template <class Body>
void parallel_for(std::int64_t n, int threads, Body&& body) {
    run_tasks(
        n, threads,
        [](void* context, std::int64_t task) {
            (*static_cast<std::remove_reference_t<Body>*>(context))(task);
        },
        &body);
}

// Like parallel_for, but tasks that run at the same time have numbers far from each other: where
// neighbours write neighbouring columns of the same rows, two processors that go down them side by
// side take each other's cache lines away.
template <class Body>
void parallel_apart(std::int64_t n, int threads, Body&& body) {
    const std::int64_t stride = (n + threads - 1) / threads;
    parallel_for(stride * threads, threads, [&body, n, stride, threads](std::int64_t i) {
        const std::int64_t task = i % threads * stride + i / threads;
        if (i / threads < stride && task < n)
            body(task);
    });
}

// Asks for huge pages in memory that is about to be written: a page fault costs more than filling
// the page. A block so large that the system has just given it gets its pages at once, shared out
// among the threads: where two of them are the first to write into one page, the system clears it
// twice. What stood in the block is lost. Small blocks are left alone.
void expect_writes(void* memory, std::size_t bytes, int threads);

// What the scratch memory of a thread is used for; those of one kernel must differ.
enum class Scratch {
    packed_weight,
    packed_tile,
    accumulator,
    magnitudes,
    row_index,
    selected,
    partial,
    parser_state,
    missing_rows,
    last_children,
    tagger_order,
    tagger_output,
    tagger_cells,
    tagger_scores,
    count_
};

// At least `bytes` bytes of the calling thread, 64-byte aligned, contents undefined; valid until
// its next call with the same purpose.
void* scratch_bytes(Scratch purpose, std::size_t bytes);

template <class T>
T* scratch(Scratch purpose, std::int64_t n) {
    return static_cast<T*>(scratch_bytes(purpose, static_cast<std::size_t>(n) * sizeof(T)));
}

} // namespace meprop
