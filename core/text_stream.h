#pragma once

#include <locale>
#include <sstream>

namespace pade {

/// A string stream in the classic locale: numbers are written with a decimal point and without
/// separators of thousands, whatever std::locale::global() the host program has set. Every message,
/// file and table of ours is written through one.
class TextStream : public std::ostringstream {
 public:
  TextStream() { imbue(std::locale::classic()); }
};

}  // namespace pade
