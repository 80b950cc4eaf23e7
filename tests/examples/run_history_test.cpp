#include <doctest/doctest.h>

#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/tape.h>
#include <pade/layers/linear.h>
#include <pade/layers/rational.h>
#include <pade/layers/sequential.h>

#include "support/run_history.h"
#include "tests/temporary_folder.h"

using namespace pade;
using namespace pade::support;

namespace {

/// A rational layer of two groups, one of another form, two formulas, of which one shares names
/// with them, and what learns nothing.
Sequential mixed_network() {
  return Sequential{named("a", make_activation("pau:degrees=2/1,groups=2")),
                    named("b", make_activation("opau:basis=legendre,form=full_sum,degrees=3/2")),
                    named("c", make_activation("swish:trainable=true")),
                    named("d", make_activation("era")),
                    named("e", make_activation("relu")),
                    named("f", make_activation("leaky_relu"))};
}

const std::string kInputsHeader =
    "epoch,layer,name,count,nan,infinite,mean,std,min,max,low,width,below,above,counts\n";

}  // namespace

TEST_CASE("a network with rational layers alone has the columns of the contract") {
  Sequential network{Linear(2, 2), Rational::hp1()};
  CHECK(CoefficientFile::header_of(network) == "epoch,layer,name,c0,c1,c2,c3,c4,c5,d1,d2,d3,d4\n");
  Sequential full{make_activation("pau:form=full_sum,degrees=3/2")};
  CHECK(CoefficientFile::header_of(full) == "epoch,layer,name,c0,c1,c2,c3,d0,d1,d2\n");
  Sequential fixed{make_activation("relu"), make_activation("swish")};
  CHECK(CoefficientFile::header_of(fixed).empty());
  CHECK(CoefficientFile::rows_of(0, fixed).empty());
}

TEST_CASE("coefficients of a mixed network come back from its activations.csv") {
  const pade::testing::TemporaryFolder folder;
  Sequential network = mixed_network();
  const std::string header = CoefficientFile::header_of(network);
  CHECK(header == "epoch,layer,name,c0,c1,c2,c3,d0,d1,d2,beta,a,b,e1,f1,e2,f2\n");
  const std::string before = CoefficientFile::rows_of(0, network);
  for (const Parameter& parameter : network.parameters()) {
    const NoGrad no_grad;
    Tensor values = parameter.tensor;
    values.copy_(values.detach() * 0.5 + 1);
  }
  folder.write("activations.csv", header + before + CoefficientFile::rows_of(1, network));

  const auto layers = read_history(folder.path().string(), network);
  REQUIRE(layers.size() == 6);
  for (const LayerHistory& layer : layers) {
    CAPTURE(layer.name);
    Sequential fresh = mixed_network();
    const auto& now = dynamic_cast<Activation&>(network[layer.name]);
    const auto& then = dynamic_cast<Activation&>(fresh[layer.name]);
    CHECK(layer.learned == now.is_learned());
    CHECK(layer.low == -5);  // as inputs are not known
    REQUIRE(layer.functions.size() == (layer.learned ? 2 : 1));
    CHECK(std::ssize(layer.functions[0].groups) == now.groups());
    for (int64_t group = 0; group < now.groups(); ++group) {
      const auto index = static_cast<size_t>(group);
      const auto near = [](const ActivationFunction& read, const ActivationFunction& expected) {
        for (const double x : {-1.5, 0.3, 2.0}) CHECK(read(x) == doctest::Approx(expected(x)));
      };
      near(layer.functions.front().groups[index], then.as_function(group));
      near(layer.functions.back().groups[index], now.as_function(group));
    }
  }
}

TEST_CASE("a row that has other coefficients than the layer is refused") {
  const pade::testing::TemporaryFolder folder;
  const std::string path =
      folder.write("activations.csv", "epoch,layer,name,beta,slope\n0,0,act,,0.25\n").string();
  const CoefficientFile file(path);
  CHECK_THROWS_WITH_AS(
      file.functions_of("act", 1, make_activation("swish")->as_function()),
      (path + ": expected 1 coefficients of act, beta, got 0 of them and 1 others").c_str(), Error);
  const auto read = file.functions_of("act", 1, make_activation("prelu")->as_function());
  REQUIRE(read.size() == 1);
  CHECK(read[0].groups[0].values() == std::vector<double>{0.25});
  CHECK(file.functions_of("other", 1, make_activation("prelu")->as_function()).empty());
}

TEST_CASE("a layer is shown where its inputs were, in all epochs, but for one in a hundred") {
  const pade::testing::TemporaryFolder folder;
  folder.write("activations.csv", "epoch,layer,name,beta\n0,0,act,1\n");
  // 1000 inputs: 2 below -8, then bars of 1 from -8 on, then 2 above.
  folder.write("inputs.csv", kInputsHeader +
                                 "1,0,act,1000,0,0,0,1,-90,50,-8,1,2,2,6 490 500\n"
                                 "2,0,act,1000,0,0,0,1,3,4,3,1,0,0,1000\n");
  Sequential network{named("act", make_activation("swish:trainable=true"))};
  const auto layers = read_history(folder.path().string(), network);
  REQUIRE(layers.size() == 1);
  REQUIRE(layers[0].inputs.size() == 2);
  CHECK(layers[0].inputs[0].histogram.below == 2);
  // The five lowest reach into the first bar, the highest of the second epoch to 4.
  CHECK(layers[0].low == doctest::Approx(-8 - 12.0 / 20));
  CHECK(layers[0].high == doctest::Approx(4 + 12.0 / 20));
}
