#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>

#include <pade/core/ops/arithmetic.h>
#include <pade/layers/activation.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/linear.h>
#include <pade/layers/network_file.h>
#include <pade/layers/rational.h>
#include <pade/layers/sequential.h>

#include "tests/temporary_folder.h"

using namespace pade;

TEST_CASE("a saved network says of each activation what it is") {
  const pade::testing::TemporaryFolder folder;
  const auto make = [] {
    return Sequential{Linear(2, 3), named("act1", Rational::hp1(3)), Linear(3, 3),
                      named("act2", Sequential{make_activation("swish:trainable=true")}),
                      make_activation("relu")};
  };
  Sequential network = make();
  save_network(folder / "net.safetensors", network);
  const SafetensorsFile file = read_safetensors(folder / "net.safetensors");
  CHECK(recorded_activation(file, "act1") ==
        "opau:basis=hermite_he,form=termwise,degrees=5/4,groups=3");
  CHECK(recorded_activation(file, "act2.0") == "swish:beta=1,trainable=true");
  CHECK(recorded_activation(file, "4") == "relu");
  CHECK(recorded_activation(file, "0") == std::nullopt);
  CHECK(file.metadata.size() == 3);

  Sequential other = make();
  load_into(other.state(), file);
  const auto saved = network.state(), loaded = other.state();
  for (size_t i = 0; i < saved.size(); ++i)
    CHECK(loaded[i].second.to_vector<float>() == saved[i].second.to_vector<float>());
}

TEST_CASE("files that name basis and form alone are of a rational activation") {
  SafetensorsFile file;
  file.metadata["activation.act"] = "basis=laguerre,form=unsafe";
  CHECK(recorded_activation(file, "act") == "opau:basis=laguerre,form=unsafe");
  const auto prefixed = [] {
    Sequential network{make_activation("relu")};
    return activation_metadata(network, "network.");
  }();
  CHECK(prefixed == std::map<std::string, std::string>{{"activation.network.0", "relu"}});
}

TEST_CASE("files of other programs load by names") {
  const pade::testing::TemporaryFolder folder;
  const auto path = folder / "net.safetensors";
  const auto make = [](const char* activation) {
    return Sequential{named("fc", Linear(2, 4)), named("bn", BatchNorm1d(4)),
                      named("act", make_activation(activation, 4))};
  };
  Sequential network = make("pau");

  SUBCASE("with a prefix, a counter of batches, and coefficients without an axis of groups") {
    NamedTensors tensors;
    for (const auto& [name, tensor] : network.state())
      tensors.emplace_back("module.net." + name,
                           name.starts_with("act.") ? tensor[0].detach() * 2 : tensor.detach() * 2);
    tensors.emplace_back("module.net.bn.num_batches_tracked", Tensor::scalar(7).to(DType::int32));
    write_safetensors(path, tensors);
    Sequential other = make("pau");
    CHECK(load_network(path, other) == "module.net.");
    const auto from = network.state(), to = other.state();
    for (size_t i = 0; i < from.size(); ++i)
      CHECK(to[i].second.to_vector<float>() == (from[i].second * 2).to_vector<float>());
    Sequential wider = make("pau:groups=2");
    CHECK_THROWS_WITH_AS(load_network(path, wider),
                         doctest::Contains("different: act.numerator: expected [2, 6] float32, got "
                                           "[6] float32"),
                         Error);
  }
  SUBCASE("as rational_kat_cu writes them") {
    const Tensor p = Tensor::from<float>({0, 1, 2, 3, 4, 5}, {1, 6}),
                 q = Tensor::from<float>({1, 0, 0, 0, 2, 0, 0, 0}, {2, 4});
    write_safetensors(path, {{"weight_numerator", p}, {"weight_denominator", q}});
    auto activation = make_activation("pau:groups=2,shared_numerator=true");
    CHECK(load_network(path, *activation) == "");
    auto& rational = dynamic_cast<Rational&>(*activation);
    CHECK(rational.groups() == 2);
    CHECK(rational.function(1).c == std::vector<double>{0, 1, 2, 3, 4, 5});
    CHECK(rational.function(1).d == std::vector<double>{2, 0, 0, 0});
    const Tensor y = rational(Tensor::ones({1, 2}));
    CHECK(y.to_vector<float>() == std::vector<float>{15.0f / 2, 15.0f / 3});
  }
  SUBCASE("what we write has what PyTorch's batch norm expects") {
    save_network(path, network);
    const SafetensorsFile file = read_safetensors(path);
    CHECK(file.at("bn.num_batches_tracked").shape() == Shape{});
    CHECK(file.at("bn.num_batches_tracked").item() == 0);
    Sequential other = make("pau");
    CHECK(load_network(path, other) == "");
  }
}
