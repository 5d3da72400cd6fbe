#include "dispatch.hpp"

namespace meprop {

namespace baseline {
extern const Kernels kernels;
}
#if defined(MEPROP_X86)
namespace avx2 {
extern const Kernels kernels;
}
namespace avx512 {
extern const Kernels kernels;
}
#endif

namespace {

std::vector<const Kernels*> usable() {
    std::vector<const Kernels*> found;
#if defined(MEPROP_X86)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        found.push_back(&avx512::kernels);
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt")) {
        found.push_back(&avx2::kernels);
    }
#endif
    found.push_back(&baseline::kernels);
    return found;
}

const Kernels*& current() {
    static const Kernels* chosen = usable().front();
    return chosen;
}

} // namespace

std::vector<std::string> usable_instruction_sets() {
    std::vector<std::string> names;
    for (const Kernels* set : usable())
        names.emplace_back(set->name);
    return names;
}

const Kernels& kernels() {
    return *current();
}

bool use_instruction_set(const std::string& name) {
    for (const Kernels* set : usable()) {
        if (set->name == name) {
            current() = set;
            return true;
        }
    }
    return false;
}

} // namespace meprop
