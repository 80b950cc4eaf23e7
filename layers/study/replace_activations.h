#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <pade/layers/activation.h>
#include <pade/layers/study/input_statistics.h>

namespace pade {

struct ReplaceOptions {
  /// Which activations are replaced, by dotted path; all where there is no function here.
  std::function<bool(const std::string& path, const Activation& activation)> choose = {};

  /// The interval of a fit reaches over the observed inputs but for this share on each side, and,
  /// where that leaves room, a little further: by `margin` of its length on each side. It is at
  /// least 1 long.
  double tail_share = 1e-4, margin = 0.05;
  /// The weight of a squared error is 1 − uniform_share of the inputs' density there (a histogram
  /// of at most 64 bars, interpolated), and the rest the same everywhere on the interval.
  double uniform_share = 0.1;
  /// Weight of the slopes' squared error, in units of the inputs' variance; see FitOptions.
  double derivative_weight = 0.1;
};

/// What became of one activation.
struct ReplacedActivation {
  std::string name;           ///< dotted path
  std::string before, after;  ///< descriptions
  double low, high;           ///< the interval of the fit
  double outside;             ///< share of the observed inputs that were not on it
  double rms = 0;             ///< root of the mean squared error over the interval
  double input_rms = 0;       ///< the same, weighted by the observed inputs' density
  double max_error = 0;       ///< largest |error| on the interval, at 4001 points …
  double max_error_at;        ///< … and the x of it
};

/// Puts rational functions in the place of a trained network's activations, each fitted to the old
/// one, in value and slope, where that one's inputs are:
///
///   const auto report = replace_activations(network, "hp1", [&](Module& network) {
///     evaluate(network, some_training_images);
///   });
///
/// `spec` is one of a rational activation (see make_activation()), whose basis, form, degrees,
/// groups, zero_centred and trainable count; all groups start alike. `run_data` is called once, and
/// what it calls the network with is what counts as the inputs; it sets eval mode if it wants it.
/// The new modules are of the dtype and on the device of the network's first parameter, and in
/// train or eval mode as the old ones were. All else, and its names in checkpoints, stays as it is.
///
/// Build optimisers afterwards: there are new parameters. Give them a small activation_lr, such as
/// 0.001: the usual one is for functions that are yet to be found, and scaled for inputs from
/// N(0, 1) (layers/study/coefficient_scale.h), where a layer's may be wider.
///
/// Returns a report on each, parents first. Throws Error, with nothing changed: for a spec that is
/// not rational, or with the keys init, interval, zero_mean or gain, which the network decides;
/// when nothing is to be replaced; when an activation was given no finite input, is one of several
/// groups with a function each, or sits where it cannot be replaced (see Module::replace()).
std::vector<ReplacedActivation> replace_activations(Module& network, std::string_view spec,
                                                    const std::function<void(Module&)>& run_data,
                                                    const ReplaceOptions& options = {});
/// With inputs that were collected before, of all activations that are to be replaced. The
/// statistics are of no use afterwards but for their numbers.
std::vector<ReplacedActivation> replace_activations(Module& network, std::string_view spec,
                                                    const InputStatistics& statistics,
                                                    const ReplaceOptions& options = {});

}  // namespace pade
