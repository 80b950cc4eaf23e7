#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "lab/export.h"

namespace pade::lab {
namespace {

/// What a function or class must not be called: words of C, C++, CUDA and Python, and functions
/// of <math.h>, one blank around each.
constexpr std::string_view kReserved =
    " alignas alignof and and_eq as asm assert async auto await bitand bitor bool break case catch "
    "char char16_t char32_t char8_t class co_await co_return co_yield compl concept const "
    "const_cast consteval constexpr constinit continue decltype def default del delete device do "
    "double dynamic_cast elif else enum except explicit export extern f df False false finally "
    "float for friend from global goto half host if import in inline int is lambda long main "
    "math mutable namespace new noexcept None nonlocal not not_eq nn NULL nullptr operator or "
    "or_eq pass private protected public raise register reinterpret_cast requires restrict return "
    "shared short signed sizeof static static_assert static_cast struct switch template this "
    "thread_local throw torch True true try typedef typeid typename typeof union unsigned using "
    "virtual void volatile wchar_t while with xor xor_eq yield "
    "abs acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh drem erf erfc erfcinv "
    "erfinv exp exp10 exp2 expm1 fabs fdim finite floor fma fmax fmin fmod frexp gamma hypot ilogb "
    "isfinite isinf isnan isnormal j0 j1 jn ldexp lgamma llrint llround log log10 log1p log2 logb "
    "lrint lround modf nan nearbyint nextafter nexttoward norm normcdf pow pow10 remainder remquo "
    "rint round rsqrt scalb scalbln scalbn signbit significand sin sincos sinh sqrt tan tanh "
    "tgamma trunc y0 y1 yn "
    "acosf asinf atanf ceilf cosf coshf erff erfcf expf exp2f expm1f fabsf floorf fmaf fmaxf fminf "
    "fmodf logf log10f log1pf log2f powf roundf sinf sinhf sqrtf tanf tanhf truncf ";

/// Also what another function's derivative, double version or table may be called.
bool is_reserved(const std::string& name) {
  for (const char* ending : {"_dx", "_double", "_table"})
    if (name.ends_with(ending)) return true;
  return kReserved.find(' ' + name + ' ') != std::string_view::npos;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string identifier_of(const std::string& name, const std::vector<std::string>& taken) {
  std::string text;
  for (const char c : name) {
    const bool fits = is_letter(c) || is_digit(c);
    // No two underscores in a row, which C++ keeps for itself.
    if (fits || (!text.empty() && text.back() != '_')) text += fits ? c : '_';
  }
  while (text.ends_with('_')) text.pop_back();
  if (text.empty()) text = "activation";
  if (is_digit(text.front())) text.insert(0, "layer_");
  if (is_reserved(text)) text += "_function";
  std::string free = text;
  for (int k = 2; std::find(taken.begin(), taken.end(), free) != taken.end(); ++k)
    free = text + '_' + std::to_string(k);
  return free;
}

}  // namespace pade::lab
