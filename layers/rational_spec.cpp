#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iomanip>
#include <map>
#include <mutex>
#include <sstream>
#include <tuple>
#include <utility>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/core/numbers.h>
#include <pade/core/text_stream.h>
#include <pade/layers/init.h>
#include <pade/layers/rational_spec.h>
#include <pade/layers/study/gaussian_analysis.h>

namespace pade {
namespace {

/// The defaults of opau: degrees and form as PAU's, on a wider interval. LeNet on CIFAR-10, ten
/// epochs of two seeds, four whole-sum bases: 68.6 % on [−5, 5], 63.8 % on [−10, 10]; on PAU's [−3,
/// 3], Chebyshev T does not train in two of three seeds. The four termwise ones do not mind.
const RationalPreset& opau_preset() {
  static const RationalPreset preset{"opau", pau_preset().start, {.low = -5, .high = 5}};
  return preset;
}

const std::map<std::string, const RationalPreset& (*)(), std::less<>>& presets() {
  static const std::map<std::string, const RationalPreset& (*)(), std::less<>> table = {
      {"hp1", hp1_preset}, {"hp2", hp2_preset}, {"opau", opau_preset}, {"pau", pau_preset}};
  return table;
}

const RationalPreset& preset_named(const std::string& name) {
  const auto found = presets().find(name);
  if (found == presets().end()) fail_unknown_name("rational activation", name, rational_names());
  return found->second();
}

/// More channels than any layer has; a typing error is noticed before coefficients fill the memory.
constexpr int64_t kMostGroups = 65536;

int64_t groups_of(const Spec& spec, int64_t channels) {
  if (spec.text("groups", "1") == "channel") return channels;
  const std::string what = "activation " + spec.name() + ": groups";
  const auto groups = whole_number<int64_t>(spec.number("groups", 1), what.c_str());
  check(groups >= 1 && groups <= kMostGroups, what, " expects a whole number from 1 to ",
        kMostGroups, " or \"channel\", got ", groups);
  return groups;
}

/// What gain= asks for; 0 where it asks for nothing.
double second_moment_of(const Spec& spec) {
  const std::string gain = spec.text("gain", "false");
  if (gain == "false") return 0;
  return gain == "true" ? 1 : assumed_second_moment(init_named(gain));
}

}  // namespace

std::vector<std::string> rational_names() {
  std::vector<std::string> names;
  for (const auto& [name, preset] : presets()) names.push_back(name);
  return names;
}

std::unique_ptr<Rational> make_rational(const Spec& spec, const RationalFunction& function,
                                        int64_t channels, DType dtype) {
  const auto module_of = [&](const RationalFunction& function) {
    auto module = std::make_unique<Rational>(function, groups_of(spec, channels), dtype);
    if (spec.flag("shared_numerator", false)) module->share_numerator();
    if (spec.has("axis"))
      module->set_channel_axis(whole_number<int>(spec.number("axis", 1), "Rational: axis"));
    if (spec.flag("zero_centred", false)) module->keep_zero_centred();
    return module;
  };
  auto module = module_of(function);
  if (const double wanted = second_moment_of(spec); wanted > 0)
    module = module_of(scale_to_second_moment(module->function(), wanted));
  module->set_noise(spec.number("noise", 0));
  module->set_trainable(spec.flag("trainable", true));
  return module;
}

RationalSpec::RationalSpec(Spec spec)
    : spec_(std::move(spec)), preset_(&preset_named(spec_.name())) {
  check(spec_.name() != "opau" || spec_.has("basis"),
        "activation opau: name its basis, as in opau:basis=legendre");
  spec_.allow_keys({"basis", "form", "degrees", "coefficients", "groups", "axis",
                    "shared_numerator", "init", "interval", "zero_centred", "zero_mean", "gain",
                    "noise", "trainable"});
  check(!spec_.flag("zero_mean", false) || !spec_.flag("zero_centred", false), "activation ",
        spec_.name(), ": zero_mean and zero_centred exclude each other");
  const RationalFunction& usual = preset_->start;
  options_ = {basis_named(spec_.text("basis", name_of(usual.options.basis))),
              rational_form_named(spec_.text("form", name_of(usual.options.form)))};
  const auto [m, n] =
      spec_.pair("degrees", '/', {usual.numerator_degree(), usual.denominator_degree()});
  for (const double degree : {m, n})
    check(degree == std::floor(degree) && degree >= 0 && degree <= kMaxDegree, "activation ",
          spec_.name(), ": degrees are whole numbers from 0/0 to ", kMaxDegree, "/", kMaxDegree,
          ", got \"", spec_.text("degrees", ""), "\"");
  m_ = static_cast<int>(m);
  n_ = static_cast<int>(n);
  if (spec_.has("coefficients")) read_coefficients();
  groups_of(spec_, 1);  // before a fit, which takes its time
}

void RationalSpec::read_coefficients() {
  const std::string what = "activation " + spec_.name() + ": coefficients",
                    text = spec_.text("coefficients", "");
  for (const char* key : {"degrees", "init", "interval", "zero_mean"})
    check(!spec_.has(key), what, " say what the function is; ", key,
          " cannot be given beside them");
  const size_t slash = text.find('/');
  check(slash != text.npos && text.find('/', slash + 1) == text.npos, what, " expect c0 … cm/d",
        first_denominator(options_.form), " … dn, with blanks between, got \"", text, '"');
  const auto numbers = [&](const std::string& part) {
    std::istringstream words(part);
    std::vector<double> values;
    for (std::string word; words >> word;) {
      const std::optional<double> value = parse_double(word);
      check(value.has_value(), what, " expect numbers with blanks between, got \"", word, '"');
      values.push_back(*value);
    }
    return values;
  };
  given_ = {options_, numbers(text.substr(0, slash)), numbers(text.substr(slash + 1))};
  given_->check_degrees(what);
  m_ = given_->numerator_degree();
  n_ = given_->denominator_degree();
}

RationalFunction RationalSpec::fit(const std::string& init, const FitOptions& interval,
                                   bool zero_mean) const {
  const auto target = fit_target_named(init);
  const auto less = [&](double shift) {
    return fit_rational([&](double x) { return target(x) - shift; }, options_, m_, n_, interval)
        .function;
  };
  double shift = 0;
  RationalFunction function = less(shift);
  for (int round = 0; zero_mean && round < 3;
       ++round) {  // a fit's mean nearly follows its target's
    shift += gaussian_moments([&](double x) { return derivatives_of(function, x); }, 1).mean;
    function = less(shift);
  }
  return function;
}

std::string RationalSpec::init() const { return spec_.text("init", "leaky_relu"); }

std::pair<double, double> RationalSpec::interval() const {
  return spec_.pair("interval", ':', {preset_->fit.low, preset_->fit.high});
}

RationalFunction RationalSpec::start() const {
  if (given_) return *given_;
  const bool zero_mean = spec_.flag("zero_mean", false);
  const auto differs = [&](const char* key) { return spec_.has(key); };
  const std::array keys{"basis", "form", "degrees", "interval", "init"};
  if (!zero_mean && std::none_of(keys.begin(), keys.end(), differs)) return preset_->start;

  const auto [low, high] = interval();
  using Key = std::tuple<Basis, RationalForm, int, int, double, double, std::string, bool>;
  static std::map<Key, RationalFunction> fits;
  static std::mutex mutex;  // of the map; two threads may make the same fit, which is the same
  const Key key{options_.basis, options_.form, m_, n_, low, high, init(), zero_mean};
  {
    const std::lock_guard lock(mutex);
    if (const auto found = fits.find(key); found != fits.end()) return found->second;
  }
  const RationalFunction function = fit(init(), {.low = low, .high = high}, zero_mean);
  const std::lock_guard lock(mutex);
  return fits.try_emplace(key, function).first->second;
}

std::string Rational::formula() const {
  const RationalForm form = options_.form;
  const char* const bar = takes_magnitude_of_sum(form) ? "|" : "";
  TextStream out;
  out << "sum_0^" << numerator_degree() << " c_i f_i / (" << denominator_constant(form) << " + "
      << bar << "sum_" << first_denominator(form) << '^' << denominator_degree()
      << (form == RationalForm::termwise ? " |d_j| |f_j|" : " d_j f_j") << bar
      << "), f = " << name_of(options_.basis);
  return out.str();
}

std::string Rational::spec() const {
  TextStream out;
  out << "opau:basis=" << name_of(options_.basis) << ",form=" << name_of(options_.form)
      << ",degrees=" << numerator_degree() << '/' << denominator_degree();
  if (groups() > 1) out << ",groups=" << groups();
  if (channel_axis_) out << ",axis=" << *channel_axis_;
  if (numerator.extent(0) < groups()) out << ",shared_numerator=true";
  if (zero_centred_) out << ",zero_centred=true";
  if (noise_ > 0) out << std::setprecision(15) << ",noise=" << noise_;
  if (!numerator.requires_grad()) out << ",trainable=false";
  return out.str();
}

}  // namespace pade
