#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "support/command.h"
#include "support/progress.h"
#include "support/terminal.h"

using namespace pade::support;

namespace {

const EpochProgress kProgress{.title = "epoch 10/10",
                              .step = 312,
                              .total_steps = 469,
                              .loss = 0.3127,
                              .accuracy = 0.8874,
                              .images_per_second = 11805,
                              .seconds_left = 200};

}  // namespace

TEST_CASE("the progress line fits into every width, and shows the more the wider it is") {
  const std::string whole = progress_line(kProgress, 500);
  CHECK(whole ==
        "epoch 10/10 ━━━━━━━━━━━━━━━╸──────── 312/469  loss 0.3127  accuracy 0.8874  "
        "11805 images/s  3 min 20 s left");
  size_t before = 0;
  for (size_t columns = 0; columns <= count_characters(whole) + 1; ++columns) {
    CAPTURE(columns);
    const std::string line = progress_line(kProgress, columns);
    CHECK(count_characters(line) <= columns);
    CHECK(count_characters(line) >= std::min<size_t>(columns, 19));  // title and steps
    size_t shown = 0;
    for (const char* part : {"images/s", " left", "accuracy", "loss", "312/469"})
      shown += line.find(part) != std::string::npos;
    CHECK(shown >= before);
    before = shown;
  }
  CHECK(progress_line(kProgress, count_characters(whole)) == whole);
}

TEST_CASE("on 80 columns the progress line leaves images/s out, on 60 the time as well") {
  CHECK(progress_line(kProgress, 80).ends_with("accuracy 0.8874  3 min 20 s left"));
  CHECK(progress_line(kProgress, 60).ends_with(" 312/469  loss 0.3127  accuracy 0.8874"));
  CHECK(progress_line(kProgress, 60).starts_with("epoch 10/10 ━"));
  CHECK(progress_line(kProgress, 40).ends_with(" 312/469  loss 0.3127"));
}

TEST_CASE("characters are counted, not bytes") {
  CHECK(count_characters("epoch ━╸─") == 9);
  CHECK(fitted("━╸─", 2) == "━╸");
  CHECK(fitted("━╸─", 9) == "━╸─");
}

TEST_CASE("a shell makes the same words of a line again") {
  CHECK(shell_line({"lenet", "--out", "my runs/it's"}) == "lenet --out 'my runs/it'\\''s'");
  CHECK(shell_line({""}) == "''");
}
