// The compiled instruction sets that this processor can run, and the one in use.
#pragma once

#include <string>
#include <vector>

#include "kernels.hpp"

namespace meprop {

// The names of the compiled instruction sets that this processor can run, the widest first.
std::vector<std::string> usable_instruction_sets();

// The kernels in use: those of the widest usable instruction set, unless `use_instruction_set`
// chose another one.
const Kernels& kernels();

// Returns false, and changes nothing, if that set was not compiled or cannot run here.
bool use_instruction_set(const std::string& name);

} // namespace meprop
