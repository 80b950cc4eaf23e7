#pragma once

#include <filesystem>
#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace pade {

/// A point that a fit is to pass near.
struct FitSample {
  double x = 0, y = 0;
};

/// What fit_rational() fits: a function, or samples. Anything that can be called with an x is one.
struct FitTarget {
  template <class F>
  requires std::is_invocable_r_v<double, F, double> FitTarget(F f,
                                                              std::function<double(double)> df = {})
      : value(std::move(f)), slope(std::move(df)) {}
  FitTarget(std::vector<FitSample> at) : samples(std::move(at)) {}

  std::function<double(double)> value;  ///< empty if there are samples
  std::function<double(double)> slope;  ///< its derivative; if empty, differences are taken
  std::vector<FitSample> samples;       ///< in any order; an x may come more than once
};

/// The formula of that name (core/formula.h) with the constants that it starts with, to fit.
/// Throws Error that lists them.
std::function<double(double)> fit_target_named(std::string_view name);

/// The samples in a text file with a line `x,y` for each, between whose numbers there may as well
/// be a semicolon, tabs or blanks; numbers have decimal points. A first line without numbers is a
/// header; empty lines, and those that begin with #, are skipped. Throws Error with the path and
/// the line's number for a line that is not two finite numbers, and Error with the path for a file
/// without samples or that cannot be read.
std::vector<FitSample> read_samples(const std::filesystem::path& path);

}  // namespace pade
