// Views of Python's strings in UTF-8.
#pragma once

#include <string_view>
#include <vector>

#include "base/border.hpp"

namespace meprop::border {

// The views stay valid as long as `texts` and `encoded`, which holds what Python cannot encode
// without help: texts with a lone surrogate.
std::vector<std::string_view> views_of(const nb::list& texts, std::vector<nb::bytes>& encoded);

} // namespace meprop::border
