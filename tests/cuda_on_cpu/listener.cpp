// Looks at the emulator after every test case: what a kernel did wrong fails the test that launched
// it, and at the end there must be no device memory that nobody freed.
#include <cuda_runtime.h>
#include <doctest/doctest.h>
#include <emu/emulator.h>

#include <cstdlib>
#include <iostream>

#include <pade/core/storage.h>

namespace {

class EmulatorListener : public doctest::IReporter {
 public:
  explicit EmulatorListener(const doctest::ContextOptions&) {}

  void test_case_end(const doctest::CurrentTestCaseStats&) override {
    cudaDeviceSynchronize();
    const std::string report = emu::take_report();
    if (report.empty()) return;
    faulty_ = true;
    std::cerr << "The emulated GPU reports, in " << test_ << ":\n" << report;
    emu::reset_device();
  }
  void test_case_start(const doctest::TestCaseData& test) override { test_ = test.m_name; }

  /// doctest takes no more failures here: the exit code says it.
  void test_run_end(const doctest::TestRunStats&) override {
    pade::release_cached_memory();
    const std::string leaks = emu::leak_report();
    std::cerr << leaks;
    if (faulty_ || !leaks.empty())
      std::atexit([] {
        std::cout << std::flush;
        std::_Exit(66);
      });
  }

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}

 private:
  const char* test_ = "";
  bool faulty_ = false;
};

}  // namespace

REGISTER_LISTENER("emulator", 1, EmulatorListener);
