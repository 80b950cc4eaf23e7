#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "compare/csv_writer.h"
#include "compare/summary.h"

using namespace pade::compare;

namespace {

CellResult finished(const std::string& activation, uint64_t seed,
                    const std::vector<double>& test_accuracies) {
  CellResult result;
  result.cell = {activation, seed, ""};
  result.state = CellState::finished;
  result.test_accuracies = test_accuracies;
  result.test_accuracy = test_accuracies.back();
  for (double accuracy : test_accuracies)
    result.best_test_accuracy = std::max(result.best_test_accuracy, accuracy);
  result.parameters = activation == "hp1" ? 120 : 100;
  return result;
}

CellResult not_finished(const std::string& activation, uint64_t seed, const std::string& failure) {
  CellResult result;
  result.cell = {activation, seed, ""};
  result.failure = failure;
  return result;
}

Grid grid_of(const std::vector<std::string>& activations) {
  Grid grid;
  grid.activations = activations;
  grid.seeds = {1, 2, 3};
  return grid;
}

}  // namespace

TEST_CASE("a grid's summary pairs by seed, counts failures and sees who gets to the baseline") {
  const std::vector<CellResult> results{finished("relu", 1, {0.50, 0.875, 0.75}),
                                        finished("hp1", 1, {0.625, 0.75, 0.875}),
                                        not_finished("elu", 1, ""),
                                        not_finished("relu", 2, "diverged"),
                                        finished("hp1", 2, {0.75, 0.75, 0.75}),
                                        not_finished("elu", 2, "diverged"),
                                        finished("relu", 3, {0.25, 0.375, 0.625}),
                                        finished("hp1", 3, {0.50, 0.5625, 0.625}),
                                        finished("elu", 3, {0.50, 0.25, 0.25})};
  const auto summaries = summarise(grid_of({"relu", "hp1", "elu"}), results);
  REQUIRE(summaries.size() == 3);
  const ActivationSummary &relu = summaries[0], &hp1 = summaries[1], &elu = summaries[2];

  CHECK(relu.activation == "relu");
  CHECK(relu.test_accuracy.n == 2);
  CHECK(relu.failed == 1);
  CHECK(relu.unfinished == 0);
  CHECK(relu.test_accuracy.mean == 0.6875);
  CHECK(relu.best_test_accuracy.mean == 0.75);
  CHECK(relu.difference.n == 0);
  CHECK(!relu.p_holm.has_value());
  CHECK(relu.parameters.value() == 100);
  // Seed 1 is at 0.6875 after its second epoch, seed 3 never.
  CHECK(relu.epochs_to_baseline.n == 1);
  CHECK(relu.epochs_to_baseline.mean == 2);

  // Of seed 2 there is no pair: +0.125 and 0.
  CHECK(hp1.test_accuracy.n == 3);
  CHECK(hp1.difference.n == 2);
  CHECK(hp1.difference.mean == 0.0625);
  CHECK(hp1.difference.p.value() == doctest::Approx(0.5).epsilon(1e-12));  // t = 1, ν = 1
  CHECK(hp1.p_holm.value() == hp1.difference.p.value());  // the only test that there is
  CHECK(hp1.parameters.value() == 120);
  CHECK(hp1.epochs_to_baseline.n == 2);
  CHECK(hp1.epochs_to_baseline.mean == 1.5);
  REQUIRE(hp1.curve.size() == 3);
  CHECK(hp1.curve[0].mean == 0.625);
  CHECK(hp1.curve[0].std.value() == 0.125);
  CHECK(hp1.finals == std::vector<double>{0.875, 0.75, 0.625});

  CHECK(elu.failed == 1);
  CHECK(elu.unfinished == 1);
  CHECK(elu.difference.n == 1);
  CHECK(elu.difference.mean == -0.375);
  CHECK(!elu.difference.p.has_value());
  CHECK(elu.epochs_to_baseline.n == 0);
}

TEST_CASE("without a finished run there is a row, and nothing in it") {
  const auto summaries = summarise(grid_of({"relu", "hp1"}), {finished("hp1", 1, {0.5})});
  REQUIRE(summaries.size() == 2);
  CHECK(summaries[0].test_accuracy.n == 0);
  CHECK(!summaries[0].parameters.has_value());
  CHECK(summaries[0].curve.empty());
  CHECK(summaries[1].difference.n == 0);
  CHECK(summaries[1].epochs_to_baseline.n == 0);
}

TEST_CASE("CSV quotes what would end a field, and writes doubles that read the same again") {
  CsvWriter csv;
  csv << "opau:basis=legendre,degrees=3/2" << 0.1 << int64_t{7} << std::optional<double>()
      << std::nan("") << R"(a "b")";
  csv.end_row();
  csv << 1.0 / 3;
  csv.end_row();
  CHECK(csv.text() ==
        "\"opau:basis=legendre,degrees=3/2\",0.1,7,,,\"a \"\"b\"\"\"\n0.3333333333333333\n");
}
