#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>

#include <pade/layers/activation.h>
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
