#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <locale>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include <pade/core/error.h>
#include <pade/core/gradcheck.h>
#include <pade/core/io/safetensors.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/size2.h>
#include <pade/core/tape.h>
#include <pade/core/tensor.h>
#include <pade/data/transforms.h>
#include <pade/layers/activation.h>
#include <pade/layers/rational.h>
#include <pade/layers/sequential.h>

#include "../temporary_folder.h"
#include "compare/csv_writer.h"
#include "support/csv.h"
#include "support/progress.h"

using namespace pade;

namespace {

struct DecimalComma : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

/// A host program whose streams write 1234.5 as 1.234,5. Streams that are made meanwhile take the
/// locale over.
class HostWithDecimalComma {
 public:
  HostWithDecimalComma()
      : before_(std::locale::global(std::locale(std::locale::classic(), new DecimalComma))) {}
  ~HostWithDecimalComma() { std::locale::global(before_); }

 private:
  std::locale before_;
};

/// What a stream of the host prints.
template <class T>
std::string printed(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

}  // namespace

TEST_CASE("the host's locale is one with a decimal comma") {
  const HostWithDecimalComma host;
  CHECK(printed(1234.5) == "1.234,5");
}

TEST_CASE("what is printed does not depend on the host's locale") {
  const HostWithDecimalComma host;
  CHECK(printed(Shape{1234, 5}) == "[1234, 5]");
  CHECK(to_string(Shape{1234, 5}) == "[1234, 5]");
  CHECK(printed(Size2(1234, 5)) == "1234×5");
  const Tensor wide = Tensor::full({1, 1234}, 0.5);
  CHECK(printed(wide).ends_with("\n([1, 1234] float32)"));
  CHECK(printed(Tensor::from<float>({1234, 12.5F}, {2})).starts_with("[1234.,  12.5]"));
  CHECK(printed(GradcheckReport{.ok = false, .worst_error = 0.5, .message = ""}).ends_with(" 0.5"));
  Tape tape;
  const Tensor x = Tensor::full({1234}, 1).requires_grad_();
  const Tensor loss = sum(x * x);
  CHECK(printed(tape).find("[1234]") != std::string::npos);
  CHECK(tape.to_dot().find("[1234]") != std::string::npos);
  CHECK_THROWS_WITH_AS(Tensor::zeros({1234}).reshape({2000}),
                       doctest::Contains("[1234] has 1234 elements, [2000] has 2000"), Error);
  CHECK(make_activation("leaky_relu:slope=0.25")->description() == "leaky_relu(slope=0.25)");
  Sequential network{make_activation("hp1:groups=1234,noise=0.5")};
  CHECK(summary(network, {1, 1234}).find("groups=1234, noise=0.5)") != std::string::npos);
  CHECK(data::RandomErasing{.p = 0.25}.describe().starts_with("random_erasing(p=0.25,"));
  CHECK(support::progress_line({"epoch", 1, 1234, 0.5, 0.25, 1234, 7}, 200)
            .ends_with(" 1/1234  loss 0.5000  accuracy 0.2500  1234 images/s  7 s left"));
}

TEST_CASE("what is read does not depend on the host's locale") {
  const HostWithDecimalComma host;
  const auto leaky = make_activation("leaky_relu:slope=0.25");
  CHECK(leaky->derivatives(-2).value == -0.5);
  const auto fitted = make_activation("opau:basis=legendre,degrees=3/2,interval=-2.5:2.5");
  CHECK(fitted->description() == "Rational(legendre, termwise, 3/2)");
  CHECK_THROWS_WITH_AS(make_activation("leaky_relu:slope=0,25"), doctest::Contains("\"25\""),
                       Error);
  for (const char* text : {"0x1p-2", "2.5e", "inf", "1.234.5"})
    CHECK_THROWS_WITH_AS(make_activation("leaky_relu:slope=" + std::string(text)),
                         doctest::Contains("slope expects a number"), Error);
}

TEST_CASE("files do not depend on the host's locale") {
  const testing::TemporaryFolder folder;
  const HostWithDecimalComma host;
  compare::CsvWriter csv;
  csv << "loss" << int64_t{1234} << 1234.5;
  csv.end_row();
  CHECK(csv.text() == "loss,1234,1234.5\n");
  const support::CsvFile read(
      folder.write("a.csv", "name,n,x,y\n" + csv.text() + "b,1,nan,-inf\n"));
  CHECK(read.number(read.rows()[0], 1) == 1234);
  CHECK(read.number(read.rows()[0], 2) == 1234.5);
  CHECK(std::isnan(read.number(read.rows()[1], 2)));
  CHECK(read.number(read.rows()[1], 3) == -std::numeric_limits<double>::infinity());
  CHECK_THROWS_WITH_AS(read.number(read.rows()[0], 0),
                       doctest::Contains("expected a number instead of \"loss\""), Error);

  const Tensor weights = Tensor::from<float>({1234.5F}, {1});
  write_safetensors(folder / "a.safetensors",
                    {{"weights", weights}, {"wide", Tensor::zeros({1234})}},
                    {{"activation", "leaky_relu:slope=0.25"}});
  const SafetensorsFile file = read_safetensors(folder / "a.safetensors");
  CHECK(file.metadata.at("activation") == "leaky_relu:slope=0.25");
  CHECK(testing::contents_of(folder / "a.safetensors").find("\"shape\":[1234]") !=
        std::string::npos);

  const nlohmann::json json = nlohmann::json::parse(R"({"lr": 0.25, "images": 1234})");
  CHECK(json.at("lr") == 0.25);
  CHECK(json.dump() == R"({"images":1234,"lr":0.25})");
}
