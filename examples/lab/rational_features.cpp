#include "lab/rational_features.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <pade/core/error.h>

namespace pade::lab {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A region, as far as it is in the interval.
struct Piece {
  double low, high;
  Polynomial p, q;
  Polynomial slope, curvature;  ///< the numerators W and W′Q − 2WQ′
  std::vector<double> poles;
};

std::vector<Piece> pieces_of(const RationalFunction& g, double low, double high) {
  std::vector<Piece> pieces;
  for (const RationalRegion& region : regions_of(g)) {
    const double a = std::max(low, region.low), b = std::min(high, region.high);
    if (!(a < b)) continue;
    const Polynomial w = bracket(1, region.p, 1, region.q);
    pieces.push_back({a, b, region.p, region.q, w, bracket(1, w, 2, region.q), {}});
    for (const double x : real_roots(region.q))
      if (x >= a && x <= b) pieces.back().poles.push_back(x);
  }
  return pieces;
}

/// Between two cuts, with the sign of a derivative there.
struct Segment {
  int sign;
  bool is_noise;  ///< so short, and the derivative so small, that the sign is only rounding
};
struct Cut {
  double x;
  bool is_kink, is_pole;
};

Segment segment(const Piece& piece, const Polynomial& numerator, bool by_odd_power, double low,
                double high) {
  const double x = low + (high - low) / 2;
  double magnitude = 0;
  for (size_t k = numerator.c.size(); k-- > 0;)
    magnitude = magnitude * std::abs(x) + std::abs(numerator.c[k]);
  const double value = numerator(x);
  const bool flipped = by_odd_power && piece.q(x) < 0;
  return {value == 0               ? 0
          : (value < 0) != flipped ? -1
                                   : 1,
          high - low <= 1e-3 * std::max(1.0, std::abs(x)) &&
              std::abs(value) <= 64 * std::numeric_limits<double>::epsilon() * magnitude};
}

/// Calls found(cut, sign before) wherever W/Q² or (W′Q − 2WQ′)/Q³ changes its sign, poles excepted.
template <class Found>
void sign_changes(const std::vector<Piece>& pieces, Polynomial Piece::*which, Found&& found) {
  std::vector<Segment> segments;
  std::vector<Cut> cuts;  // one between every two segments
  for (const Piece& piece : pieces) {
    if (!segments.empty()) cuts.push_back({piece.low, true, false});
    std::vector<Cut> inner;
    for (const double x : real_roots(piece.*which))
      if (x > piece.low && x < piece.high) inner.push_back({x, false, false});
    for (const double x : piece.poles) inner.push_back({x, false, true});
    std::sort(inner.begin(), inner.end(), [](const Cut& a, const Cut& b) { return a.x < b.x; });
    inner.push_back({piece.high, false, false});
    double low = piece.low;
    for (const Cut& cut : inner) {
      segments.push_back(segment(piece, piece.*which, which == &Piece::curvature, low, cut.x));
      low = cut.x;
    }
    cuts.insert(cuts.end(), inner.begin(), inner.end() - 1);
  }
  for (size_t first = 0, last; first < cuts.size(); first = last + 1) {
    // A multiple root, or one at a kink, is a cluster of cuts with noise between them.
    last = first;
    while (last + 1 < cuts.size() && segments[last + 1].is_noise) ++last;
    Cut cluster{0, false, false};
    for (size_t k = first; k <= last; ++k) {
      cluster.is_pole |= cuts[k].is_pole;
      cluster.is_kink |= cuts[k].is_kink;
      cluster.x += cuts[k].x / static_cast<double>(last - first + 1);
    }
    for (size_t k = first; k <= last; ++k)
      if (cuts[k].is_kink) cluster.x = cuts[k].x;
    const int before = segments[first].sign, after = segments[last + 1].sign;
    if (!cluster.is_pole && before * after < 0) found(cluster, before);
  }
}

LipschitzConstant lipschitz(const std::vector<Piece>& pieces) {
  LipschitzConstant largest{0, pieces.front().low, true};
  auto consider = [&](double x, double magnitude) {
    if (magnitude > largest.value) largest = {magnitude, x, true};
  };
  for (const Piece& piece : pieces) {
    std::vector<double> candidates = real_roots(piece.curvature);
    std::erase_if(candidates, [&](double x) { return !(x > piece.low && x < piece.high); });
    candidates.push_back(piece.low);
    candidates.push_back(piece.high);
    for (const double x : candidates)
      consider(x, std::abs(derivatives_of(piece.p, piece.q, x).slope));
    for (const double x : piece.poles) consider(x, kInfinity);
  }
  return largest;
}

}  // namespace

CurveFeatures features_of(const RationalFunction& g, double low, double high) {
  check(std::isfinite(low) && std::isfinite(high) && low < high, "features_of: the interval [", low,
        ", ", high, "] is empty or not finite");
  const std::vector<Piece> pieces = pieces_of(g, low, high);
  CurveFeatures features;
  sign_changes(pieces, &Piece::slope, [&](const Cut& cut, int before) {
    features.extrema.push_back({cut.x, derivatives_of(g, cut.x).value, before > 0, cut.is_kink});
  });
  sign_changes(pieces, &Piece::curvature, [&](const Cut& cut, int) {
    const Derivatives at = derivatives_of(g, cut.x);
    features.inflections.push_back({cut.x, at.value, at.slope, cut.is_kink});
  });
  features.lipschitz = lipschitz(pieces);
  return features;
}

}  // namespace pade::lab
