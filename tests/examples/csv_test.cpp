#include <vector>

#include <doctest/doctest.h>

#include <pade/core/error.h>
#include <tests/temporary_folder.h>

#include "support/csv.h"

using namespace pade;
using support::CsvFile;

TEST_CASE("a CSV file's names may have commas and quotes in quotes") {
  const testing::TemporaryFolder folder;
  const CsvFile file(folder.write("table.csv",
                                  "name,n,rest\r\n"
                                  "\"hp1:form=unsafe,degrees=3/2\",1.5,x\n"
                                  "\"a \"\"b\"\" c\",nan,\n"
                                  "plain,,1 2 3\n"));
  CHECK(file.header() == CsvFile::Row{"name", "n", "rest"});
  REQUIRE(file.rows().size() == 3);
  CHECK(file.text(file.rows()[0], 0) == "hp1:form=unsafe,degrees=3/2");
  CHECK(file.number(file.rows()[0], 1) == 1.5);
  CHECK(file.text(file.rows()[1], 0) == "a \"b\" c");
  CHECK(file.rows()[1].size() == 2);
  CHECK(file.numbers_in(file.rows()[2], 2) == std::vector<double>{1, 2, 3});
  CHECK_THROWS_WITH_AS(file.number(file.rows()[2], 1),
                       doctest::Contains("expected a number instead of \"\""), Error);
  CHECK(CsvFile(folder / "absent.csv").rows().empty());
}
