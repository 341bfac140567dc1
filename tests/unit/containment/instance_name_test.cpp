#include "engine/containment/instance_name.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <thread>

#include "tests/support/descriptor_limit.hpp"
#include "tests/support/scale.hpp"

namespace netrunner::containment {
namespace {

TEST(InstanceName, OfThisProcessNamesAnOwnerThatLives) {
  const auto own = InstanceName::own();
  ASSERT_TRUE(own) << own.error().message();
  EXPECT_TRUE(own->owner_lives(*own));
  const auto read = InstanceName::parse(own->text());
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_TRUE(read->owner_lives(*own));
  InstanceName before = *own;
  before.start_time -= 1;
  EXPECT_FALSE(before.owner_lives(*own)) << "another process had this pid";
}

TEST(InstanceName, AnOwnerThatCantBeLookedAtIsNotTakenForDead) {
  const auto own = InstanceName::own();
  ASSERT_TRUE(own) << own.error().message();
  InstanceName other = *own;
  other.pid = ::getppid();
  other.start_time = 0;
  EXPECT_FALSE(other.owner_lives(*own));
  const tests::DescriptorLimit none(::getpid(), 0);
  EXPECT_TRUE(other.owner_lives(*own));
}

// A process that dies between the open(2) and the read(2) of its /proc file: ESRCH comes of the read.
TEST(InstanceName, AnOwnerMayDieWhileItIsLookedAt) {
  const auto own = InstanceName::own();
  ASSERT_TRUE(own) << own.error().message();
  std::atomic<pid_t> dying = ::getppid();
  std::atomic<bool> enough = false;
  const std::size_t rounds = tests::scaled(20'000, 200);
  std::thread looker([&] {
    InstanceName other = *own;
    other.start_time -= 1;  // A tick is 10 ms: the children may have begun in our own.
    while (!enough) {
      other.pid = dying;
      EXPECT_FALSE(other.owner_lives(*own));
    }
  });
  for (std::size_t n = 0; n < rounds; ++n) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    dying = child;
    ::waitpid(child, nullptr, 0);
  }
  enough = true;
  looker.join();
}

}  // namespace
}  // namespace netrunner::containment
