#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

#include <pade/core/error.h>
#include <pade/core/numbers.h>
#include <pade/core/text_stream.h>

using namespace pade;

TEST_CASE("numbers are read in decimal, whole and in range, or not at all") {
  CHECK(parse_double("1e-3") == 0.001);
  CHECK(parse_double("+.5") == 0.5);
  CHECK(parse_double("-5") == -5);
  for (const char* text : {"", "+", "+-1", "-+1", "0,01", "1 ", " 1", "0x10", "nan", "inf", "-inf",
                           "1e400", "1e", "1.5x", "++1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_double(text));
  }
  CHECK(parse_int64("010") == 10);
  CHECK(parse_int64("-9223372036854775808") == std::numeric_limits<int64_t>::min());
  for (const char* text : {"9223372036854775808", "1.0", "1e3", "", "0x10"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_int64(text));
  }
  CHECK(parse_uint64("18446744073709551615") == std::numeric_limits<uint64_t>::max());
  for (const char* text : {"18446744073709551616", "-1", "-0"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_uint64(text));
  }
}

TEST_CASE("a double becomes an integer only where it is one that fits") {
  CHECK(whole_number<int>(-2147483648.0, "n") == std::numeric_limits<int>::min());
  CHECK(whole_number<uint8_t>(255, "n") == 255);
  CHECK(whole_number<int64_t>(-0x1p63, "n") == std::numeric_limits<int64_t>::min());
  CHECK_THROWS_AS(whole_number<int>(2147483648.0, "n"), Error);
  CHECK_THROWS_AS(whole_number<int64_t>(0x1p63, "n"), Error);
  CHECK_THROWS_AS(whole_number<uint64_t>(-1, "n"), Error);
  CHECK_THROWS_AS(whole_number<uint64_t>(0x1p64, "n"), Error);
  CHECK_THROWS_AS(whole_number<int>(std::numeric_limits<double>::quiet_NaN(), "n"), Error);
  CHECK_THROWS_WITH_AS(whole_number<uint8_t>(2.5, "groups"),
                       "groups: expected a whole number from 0 to 255, got 2.5", Error);
}

TEST_CASE("one thing is not several") {
  TextStream text;
  text << counted(1, "epoch") << ", " << counted(0, "step") << ", " << counted(1234, "image")
       << ", " << counted(2, "class", "classes") << ", " << counted(1, "class", "classes");
  CHECK(text.str() == "1 epoch, 0 steps, 1234 images, 2 classes, 1 class");
}
