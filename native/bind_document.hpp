// A document as Python holds it.
#pragma once

#include "border.hpp"
#include "document.hpp"

namespace meprop::border {

struct HeldDocument {
    nb::bytes owner; // of the text
    Document document;
};

} // namespace meprop::border
