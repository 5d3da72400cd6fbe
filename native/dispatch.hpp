// Which of the compiled instruction sets this processor can run, and which one is in use.
#pragma once

#include <string>
#include <vector>

#include "kernels.hpp"

namespace meprop {

// Names of the instruction sets that were compiled and run here, the widest first.
std::vector<std::string> usable_instruction_sets();

// The kernels in use: the widest, unless `use_instruction_set` said otherwise.
const Kernels& kernels();

// False, and nothing changes, where that set was not compiled or cannot run here.
bool use_instruction_set(const std::string& name);

} // namespace meprop
