#include <cmath>
#include <complex>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <pade/core/io/file.h>
#include <pade/core/text_stream.h>
#include <pade/layers/study/coefficient_scale.h>
#include <pade/layers/study/gaussian_analysis.h>
#include <pade/layers/study/rational_regions.h>

#include "lab/findings.h"
#include "lab/interval.h"
#include "lab/lab.h"
#include "lab/numbers.h"
#include "lab/rational_features.h"
#include "support/learned_layers.h"
#include "support/number_option.h"

namespace pade::lab {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string run, activation, coefficients, edge_of_chaos;
  Interval interval;
  std::pair<double, double> range;
  double q = 1, sigma_b = 0;
  std::optional<double> sigma_w;
  bool json = false;
};

/// What is known of an activation, and how to ask for more.
struct Subject {
  std::unique_ptr<Activation> activation;
  std::optional<RationalFunction> rational;
  DifferentiableFunction f;
  std::vector<double> kinks;

  explicit Subject(const Options& options)
      : activation(make_with(options.activation, options.coefficients, DType::float64)),
        f([this](double x) { return activation->derivatives(x); }) {
    const ActivationFunction function = activation->as_function();
    if (!function.rational()) return;
    rational = *function.rational();
    kinks = kinks_of(*rational);
  }
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;
};

Json number(double value) {
  if (std::isfinite(value)) return value + 0.0;  // and no -0
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

Json curve(const Subject& subject, const Options& options) {
  const auto [low, high] = options.range;
  const CurveFeatures features = subject.rational ? features_of(*subject.rational, low, high)
                                                  : search_curve(subject.f, low, high);
  Json extrema = Json::array(), inflections = Json::array();
  for (const Extremum& e : features.extrema)
    extrema.push_back({{"x", e.x},
                       {"value", e.value},
                       {"kind", e.is_maximum ? "maximum" : "minimum"},
                       {"kink", e.at_kink}});
  for (const Inflection& i : features.inflections)
    inflections.push_back(
        {{"x", i.x}, {"value", i.value}, {"slope", i.slope}, {"kink", i.at_kink}});
  return {{"interval", {low, high}},
          {"extrema", extrema},
          {"inflections", inflections},
          {"lipschitz",
           {{"constant", number(features.lipschitz.value)},
            {"x", features.lipschitz.x},
            {"proven", features.lipschitz.proven}}}};
}

/// Far out: exact for a rational function, and what a formula gives at ±1e8 otherwise.
Json far(const Subject& subject, int side) {
  if (subject.rational) {
    const Asymptote a =
        side < 0 ? asymptote_left(*subject.rational) : asymptote_right(*subject.rational);
    return {{"limit", number(a.limit)}, {"slope", number(a.slope)}};
  }
  const Derivatives at = subject.f(side * 1e8);
  const bool is_flat = std::abs(at.slope) < 1e-12;
  return {{"limit", is_flat ? number(at.value) : number(at.value > 0 ? INFINITY : -INFINITY)},
          {"slope", is_flat ? 0 : at.slope}};
}

Json complex_numbers(const std::vector<std::complex<double>>& roots) {
  Json all = Json::array();
  for (const auto& root : roots)
    all.push_back({{"re", root.real()}, {"im", root.imag()}, {"real", root.imag() == 0}});
  return all;
}

Json regions(const RationalFunction& g) {
  Json all = Json::array();
  for (const RationalRegion& region : regions_of(g))
    all.push_back({{"low", number(region.low)},
                   {"high", number(region.high)},
                   {"poles", complex_numbers(region.poles)},
                   {"zeros", complex_numbers(region.zeros)},
                   {"pole_distance", number(region.pole_distance)}});
  return all;
}

Json gaussian(const Subject& subject, const Options& options) {
  const GaussianMoments moments = gaussian_moments(subject.f, options.q, subject.kinks);
  const double gain = variance_gain(subject.f, subject.kinks);
  const double sigma_w = options.sigma_w.value_or(std::sqrt(gain));
  Json fixed = Json::array();
  for (const VarianceFixedPoint& point :
       variance_fixed_points(subject.f, sigma_w, options.sigma_b, subject.kinks))
    fixed.push_back({{"q", point.q},
                     {"up_to", point.up_to},
                     {"slope", point.slope},
                     {"chi", chi(subject.f, point.q, sigma_w, subject.kinks)}});
  return {{"q", options.q},
          {"mean", moments.mean},
          {"mean_square", moments.square},
          {"mean_square_slope", moments.slope_square},
          {"variance_gain", gain},
          {"sigma_w", sigma_w},
          {"sigma_b", options.sigma_b},
          {"fixed_points", fixed}};
}

/// How the coefficients learn, one by one.
Json learning(const ActivationFunction& f) {
  const std::vector<std::string> names = f.names();
  const std::vector<double> sensitivities = coefficient_sensitivities(f), scales = step_scales(f);
  Json all = Json::array();
  for (size_t k = 0; k < names.size(); ++k)
    all.push_back(
        {{"name", names[k]}, {"sensitivity", number(sensitivities[k])}, {"step_scale", scales[k]}});
  return all;
}

std::vector<EdgeOfChaosPoint> edge(const Subject& subject) {
  std::vector<double> q;
  for (int i = -30; i <= 30; ++i) q.push_back(std::pow(10, i / 10.0));
  return edge_of_chaos(subject.f, q, subject.kinks);
}

void write_edge(const std::string& path, const std::vector<EdgeOfChaosPoint>& points) {
  TextStream out;
  out << "q,sigma_w,sigma_b\n" << std::setprecision(12);
  for (const EdgeOfChaosPoint& point : points)
    out << point.q << ',' << point.sigma_w << ',' << point.sigma_b << '\n';
  write_file_atomically(path, out.str());
}

Json analysis(const Subject& subject, const Options& options) {
  Json all{{"activation", options.activation},
           {"formula", subject.activation->formula()},
           {"numbers",
            numbers_of(options.activation, *subject.activation, !options.coefficients.empty())},
           {"curve", curve(subject, options)},
           {"left", far(subject, -1)},
           {"right", far(subject, 1)}};
  if (subject.rational) all["regions"] = regions(*subject.rational);
  try {
    all["gaussian"] = gaussian(subject, options);
  } catch (const Error& error) {
    all["gaussian"] = {{"error", error.what()}};  // as next to a pole
  }
  if (subject.activation->is_learned())
    all["learning"] = learning(subject.activation->as_function());
  return all;
}

/// A number as people read it; "inf" where it is one.
std::string text(const Json& value) {
  if (value.is_string()) return value;
  TextStream out;
  out << std::setprecision(6) << value.get<double>();
  return out.str();
}

std::string complex_text(const Json& root) {
  const double im = root.at("im");
  if (root.at("real")) return text(root.at("re"));
  return text(root.at("re")) + (im < 0 ? " - " : " + ") + text(std::abs(im)) + "i";
}

void print_roots(const char* title, const Json& roots) {
  std::cout << "    " << title;
  if (roots.empty()) std::cout << " none";
  bool first = true;
  for (const Json& root : roots) {
    if (root.at("im").get<double>() < 0) continue;  // the other of a pair
    std::cout << (first ? " " : "; ") << complex_text(root)
              << (root.at("real") ? " (real)" : " and its conjugate");
    first = false;
  }
  std::cout << '\n';
}

void print_curve(const Json& curve) {
  std::cout << "On [" << text(curve["interval"][0]) << ", " << text(curve["interval"][1]) << "]\n";
  for (const Json& e : curve["extrema"])
    std::cout << "  " << e["kind"].get<std::string>() << " f = " << text(e["value"])
              << " at x = " << text(e["x"]) << (e["kink"] ? ", a kink" : "") << '\n';
  for (const Json& i : curve["inflections"])
    std::cout << "  inflection at x = " << text(i["x"]) << ", slope " << text(i["slope"])
              << (i["kink"] ? ", a kink" : "") << '\n';
  const Json& lipschitz = curve["lipschitz"];
  std::cout << "  Lipschitz constant " << text(lipschitz["constant"])
            << ", at x = " << text(lipschitz["x"])
            << (lipschitz["proven"] ? ", proven by the roots of the curvature\n"
                                    : ", the largest of a search\n");
}

void print_gaussian(const Json& g) {
  if (g.contains("error")) {
    std::cout << "Under a normal distribution: " << g["error"].get<std::string>() << '\n';
    return;
  }
  std::cout << "For X ~ N(0, " << text(g["q"]) << ")\n  E[f] = " << text(g["mean"])
            << ", E[f^2] = " << text(g["mean_square"])
            << ", E[f'^2] = " << text(g["mean_square_slope"])
            << "\n  variance gain 1/E[f(Z)^2], Z ~ N(0, 1): " << text(g["variance_gain"])
            << "\nVariances that layers with sigma_w = " << text(g["sigma_w"])
            << ", sigma_b = " << text(g["sigma_b"]) << " leave as they are\n";
  if (g["fixed_points"].empty()) std::cout << "  none between 1e-6 and 1e6\n";
  for (const Json& p : g["fixed_points"]) {
    std::cout << "  q = " << text(p["q"]);
    if (p["up_to"] != p["q"]) std::cout << " to " << text(p["up_to"]);
    std::cout << (p["slope"].get<double>() < 1 ? ", stable" : ", not stable")
              << ", chi = " << text(p["chi"]) << '\n';
  }
}

void print_learning(const Json& coefficients) {
  std::cout
      << "How far a unit of each coefficient moves f(Z), Z ~ N(0, 1), root mean square, and the "
         "scale of its steps\n";
  for (const Json& coefficient : coefficients)
    std::cout << "  " << coefficient["name"].get<std::string>() << "  "
              << text(coefficient["sensitivity"]) << ", " << text(coefficient["step_scale"])
              << '\n';
}

void print(const Json& all) {
  std::cout << all["activation"].get<std::string>() << ": " << all["formula"].get<std::string>()
            << '\n'
            << text_of(all["numbers"], "  ");
  print_curve(all["curve"]);
  for (const char* side : {"left", "right"})
    std::cout << (*side == 'l' ? "At -inf" : "At +inf") << ": limit " << text(all[side]["limit"])
              << ", slope " << text(all[side]["slope"]) << '\n';
  if (all.contains("regions")) {
    std::cout << "Poles and zeros of the quotient of polynomials that it is on each stretch\n";
    for (const Json& region : all["regions"]) {
      std::cout << "  [" << text(region["low"]) << ", " << text(region["high"])
                << "]: nearest pole at a distance of " << text(region["pole_distance"]) << '\n';
      print_roots("poles", region["poles"]);
      print_roots("zeros", region["zeros"]);
    }
  }
  print_gaussian(all["gaussian"]);
  if (all.contains("learning")) print_learning(all["learning"]);
}

/// Every learned layer of a run or a file, over the inputs that it has seen.
int analyse_run(const Options& options) {
  Json layers = Json::array();
  for (const auto& layer : support::read_learned_network(options.run, options.activation).layers) {
    const SeenInputs seen(layer.inputs, options.interval);
    Options own = options;
    own.activation = layer.now.spec();
    own.range = {seen.low, seen.high};
    Json all{{"layer", layer.name}, {"groups", layer.groups}};
    if (const auto found = find_out(layer.now, seen)) all["dead_share"] = found->dead_share;
    all.update(analysis(Subject(own), own));
    layers.push_back(all);
    if (options.json) continue;
    std::cout << (layers.size() > 1 ? "\n" : "") << "== " << layer.name;
    if (layer.groups > 1) std::cout << ", the first of " << layer.groups << " groups";
    if (all.contains("dead_share"))
      std::cout << ": dead for " << text(100 * all["dead_share"].get<double>())
                << " % of the inputs seen";
    std::cout << '\n';
    print(all);
  }
  if (options.json) std::cout << Json{{"layers", layers}}.dump(2) << '\n';
  return 0;
}

int analyse(const Options& options) {
  const Subject subject(options);
  const Json all = analysis(subject, options);
  if (!options.edge_of_chaos.empty()) write_edge(options.edge_of_chaos, edge(subject));
  if (options.json)
    std::cout << all.dump(2) << '\n';
  else
    print(all);
  return 0;
}

}  // namespace

void add_analyse(CLI::App& app, Work& work) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "analyse", "extrema, Lipschitz constant, poles, and what Gaussian inputs make of it");
  command->add_option("run", options->run,
                      "run folder or safetensors file: each of the layers that it has learned");
  add_activation(*command, options->activation);
  add_coefficients(*command, options->coefficients);
  add_interval(*command, options->interval);
  support::add_number(*command, "--q", options->q, "variance of the inputs",
                      {.least = 0, .without_least = true})
      ->capture_default_str();
  support::add_number(*command, "--sigma-w", options->sigma_w,
                      "of weights, for the variance map [keeps variance 1]",
                      {.least = 0, .without_least = true});
  support::add_number(*command, "--sigma-b", options->sigma_b, "of biases", {.least = 0})
      ->capture_default_str();
  command
      ->add_option("--edge-of-chaos", options->edge_of_chaos,
                   "write the curve chi = 1: q,sigma_w,sigma_b")
      ->type_name("FILE.csv");
  command->add_flag("--json", options->json, "figures as JSON");
  command->callback([options, &work] {
    if (options->run.empty() && options->activation.empty())
      throw CLI::RequiredError("--activation, or a run,");
    options->range = options->interval.over({-5, 5});
    work = [options] { return options->run.empty() ? analyse(*options) : analyse_run(*options); };
  });
}

}  // namespace pade::lab
