#include "engine/flow/chunk_pool.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace netrunner::flow {
namespace {

class ChunkPoolTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = ring::Ring::open({64, 128});
    ASSERT_TRUE(opened);
    ring_ = std::move(*opened);
    ChunkPool::Options options;
    options.chunk_bytes = 4096;
    options.chunks_max = 3;
    options.allowance = &allowance_;
    auto pool = ChunkPool::open(*ring_, options);
    ASSERT_TRUE(pool);
    pool_ = std::move(*pool);
  }
  void TearDown() override { pool_.reset(); }
  Allowance allowance_{3 * 4096};
  std::unique_ptr<ring::Ring> ring_;
  std::unique_ptr<ChunkPool> pool_;
};

struct Queuer final : Waiter {
  int served = 0;
  void chunk_is_free() override { ++served; }
};

TEST_F(ChunkPoolTest, NeverHasMoreChunksThanItsBound) {
  std::vector<ChunkSlot*> taken;
  while (ChunkSlot* slot = pool_->take()) taken.push_back(slot);
  EXPECT_EQ(taken.size(), 3U);
  EXPECT_FALSE(pool_->offer(1));
  for (ChunkSlot* slot : taken) pool_->put_back(*slot);
  EXPECT_EQ(pool_->out(), 0U);
  EXPECT_TRUE(pool_->offer(1));
}

TEST_F(ChunkPoolTest, TheChunkFreedLastGoesOutNext) {
  ChunkSlot* first = pool_->take();
  ChunkSlot* second = pool_->take();
  pool_->put_back(*first);
  pool_->put_back(*second);
  EXPECT_EQ(pool_->take(), second);
  EXPECT_EQ(pool_->take(), first);
  pool_->put_back(*first);
  pool_->put_back(*second);
}

TEST_F(ChunkPoolTest, WarmsNoMoreThanItsAllowance) {
  ASSERT_TRUE(allowance_.take(4096));  // Another pool has one.
  std::vector<ChunkSlot*> taken;
  while (ChunkSlot* slot = pool_->take()) taken.push_back(slot);
  EXPECT_EQ(taken.size(), 2U);
  EXPECT_EQ(pool_->warm_bytes(), 2U * 4096);
  for (ChunkSlot* slot : taken) pool_->put_back(*slot);
  EXPECT_TRUE(pool_->cool_one());
  EXPECT_TRUE(pool_->cool_one());
  EXPECT_FALSE(pool_->cool_one());
  EXPECT_EQ(pool_->warm_bytes(), 0U);
  EXPECT_TRUE(allowance_.take(2 * 4096));
}

TEST(Line, ServesInOrderAndKeepsAPlace) {
  Line line;
  Queuer first, second;
  line.join(first);
  line.join(second);
  line.join(first);  // Already in line: its place stays.
  EXPECT_EQ(line.size(), 2U);
  line.serve_one();
  EXPECT_EQ(first.served, 1);
  EXPECT_EQ(second.served, 0);
  Line::leave(second);
  EXPECT_EQ(line.size(), 0U);
}

}  // namespace
}  // namespace netrunner::flow
