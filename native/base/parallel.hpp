// Tasks spread over threads.
//
// The threads are PyTorch's if it has an OpenMP runtime (`use_openmp_runtime`): two thread pools
// that spin on the same cores slow each other down. Otherwise plain threads are started.
#pragma once

#include <cstdint>
#include <type_traits>

namespace meprop {

using Task = void (*)(void* context, std::int64_t task);

// GOMP_parallel of libgomp or libomp: runs `body(context)` once in each of `threads` threads.
using OpenMPParallel = void (*)(void (*body)(void*), void* context, unsigned threads,
                                unsigned flags);

// Null selects plain threads. Must not be called while kernels run.
void use_openmp_runtime(OpenMPParallel entry);

// Runs tasks 0 to n - 1, each once, on up to `threads` threads, and returns when all are finished.
// In a forked child process, uses only the calling thread: the pool's threads were not forked.
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

// Like parallel_for, but tasks that run at the same time have distant numbers: if two processors
// write adjacent columns of the same rows, they keep invalidating each other's cache lines.
template <class Body>
void parallel_apart(std::int64_t n, int threads, Body&& body) {
    const std::int64_t stride = (n + threads - 1) / threads;
    parallel_for(stride * threads, threads, [&body, n, stride, threads](std::int64_t i) {
        const std::int64_t task = i % threads * stride + i / threads;
        if (i / threads < stride && task < n)
            body(task);
    });
}

} // namespace meprop
