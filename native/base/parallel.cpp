#include "base/parallel.hpp"

#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
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
        try {
            for (int i = 1; i < threads; ++i)
                helpers.emplace_back([&job] { job.work(); });
        } catch (const std::system_error&) {
            // the system gives no more threads: those that there are do all of it
        }
        job.work();
        for (std::thread& helper : helpers)
            helper.join();
    }
}

} // namespace meprop
