#include "engine/reactor/mailbox.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <thread>
#include <vector>

#include "engine/reactor/reactor.hpp"

namespace netrunner::reactor {
namespace {

struct Numbered : Letter {
  int poster = 0, number = 0;
};

TEST(Mailbox, LettersOfEachPosterComeInOrderAndNoneIsLost) {
  constexpr int posters = 4, letters_each = 5000;
  auto mailbox = Mailbox::open();
  ASSERT_TRUE(mailbox);
  std::vector<std::vector<Numbered>> letters(posters, std::vector<Numbered>(letters_each));
  std::vector<std::jthread> threads;
  for (int poster = 0; poster < posters; ++poster) {
    threads.emplace_back([&, poster] {
      for (int i = 0; i < letters_each; ++i) {
        Numbered& letter = letters[static_cast<std::size_t>(poster)][static_cast<std::size_t>(i)];
        letter.poster = poster;
        letter.number = i;
        EXPECT_TRUE(mailbox->push(letter));
      }
    });
  }
  std::array<int, posters> next{};
  int seen = 0;
  while (seen < posters * letters_each) {
    for (Letter* letter = mailbox->take(); letter != nullptr;) {
      auto& numbered = static_cast<Numbered&>(*letter);
      letter = letter->next;
      EXPECT_EQ(numbered.number, next[static_cast<std::size_t>(numbered.poster)]++);
      ++seen;
    }
  }
}

TEST(Mailbox, TakesNothingOnceClosedAndHandsOutTheLast) {
  auto mailbox = Mailbox::open();
  ASSERT_TRUE(mailbox);
  Letter before, after;
  EXPECT_TRUE(mailbox->push(before));
  EXPECT_EQ(mailbox->close(), &before);
  EXPECT_TRUE(mailbox->is_closed());
  EXPECT_FALSE(mailbox->push(after));
}

TEST(Mailbox, DoesNotLetTheReaderSleepOnALetter) {
  auto mailbox = Mailbox::open();
  ASSERT_TRUE(mailbox);
  EXPECT_TRUE(mailbox->may_sleep());
  mailbox->awake();
  Letter letter;
  EXPECT_TRUE(mailbox->push(letter));
  EXPECT_FALSE(mailbox->may_sleep());
}

TEST(Reactor, ALetterFromAnotherThreadWakesItFromAnEndlessWait) {
  auto reactor = Reactor::open();
  ASSERT_TRUE(reactor);
  struct Flag : Letter {
    bool opened = false;
  } flag;
  flag.open = [](Letter& letter) noexcept { static_cast<Flag&>(letter).opened = true; };
  const std::jthread poster([&] { EXPECT_TRUE((*reactor)->post(flag)); });
  while (!flag.opened) (*reactor)->turn(INT64_MAX);
  (*reactor)->stop_listening();
  while ((*reactor)->ring().in_flight() > 0) (*reactor)->turn(INT64_MAX);
}

}  // namespace
}  // namespace netrunner::reactor
