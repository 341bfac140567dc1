/// A host that forks without exec: the child gets clean errors, the parent's commands notice nothing. U9.

#include <gtest/gtest.h>

#include "tests/support/host_program.hpp"
#include "tests/support/leak_check.hpp"

namespace tests {
namespace {

TEST(ForkSafety, AForkedChildGetsErrorsAndTheParentNoTrouble) { EXPECT_TRUE(host_succeeds("forking_host", {"verbs"})); }

TEST(ForkSafety, AForkedChildThatOpensItsOwnEngineHasOne) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer knows no new threads after the fork of a threaded process";
#endif
  EXPECT_TRUE(host_succeeds("forking_host", {"own"}));
}

TEST(ForkSafety, AHandleDroppedInAForkedChildStopsNothing) { EXPECT_TRUE(host_succeeds("forking_host", {"drop"})); }

TEST(ForkSafety, AForkedChildThatLivesOnDoesNotKeepTheHostAlive) {  // The treaty's socket is its copy too.
  EXPECT_TRUE(host_succeeds("forking_host", {"outlive"}));
}

}  // namespace
}  // namespace tests
