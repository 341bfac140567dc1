/// A verb is given up when it is done already, or before its shard has seen it: nobody resumes what is gone, and what
/// it was given is there for the next.

#include <array>
#include <atomic>
#include <filesystem>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/busy_shard.hpp"
#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

nr::EngineOptions one_shard() {
  nr::EngineOptions options;
  options.shards = 1;
  return options;
}

/// Two that wait: the one that is resumed first destroys the other, which is due in the same turn.
struct Rivals {
  std::array<OwnedFrame, 2> frames;
  std::atomic<int> resumed = 0;
  std::atomic<int> first = -1;

  void has_gone_on(int which) {
    if (first < 0) frames[static_cast<std::size_t>(1 - which)].destroy();
    if (first < 0) first = which;
    ++resumed;
  }
};

OwnedFrame wait_for(Rivals& rivals, int which, nr::Process& process) {
  (void)co_await process.wait();
  rivals.has_gone_on(which);
}

TEST(GivenUp, AWaiterThatIsResumedMayDestroyAnotherThatIsDue) {
  EngineFixture host(one_shard());
  Running cat = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  Rivals rivals;
  for (int n = 0; n < 2; ++n) rivals.frames[static_cast<std::size_t>(n)] = wait_for(rivals, n, cat.process());
  cat.close_input();
  EXPECT_TRUE(eventually([&] { return rivals.resumed == 1; }));
  on_shard(*host, [] {});  // The turn that could have resumed the other is over.
  EXPECT_EQ(rivals.resumed, 1);
  EXPECT_EQ(exit_code(cat.wait()), 0);
}

OwnedFrame wait_alone(nr::Process& process, std::atomic<bool>& went_on) {
  (void)co_await process.exited();
  went_on = true;
}

/// Keeps shard 0 busy until `begin` has made a coroutine in this thread, then destroys that in the shard's thread.
template <class Begin>
void destroy_before_the_shard_sees_it(nr::Engine& engine, Begin begin) {
  std::atomic<bool> held = false, made = false, destroyed = false;
  OwnedFrame victim;
  std::thread shard([&] {
    on_shard(engine, [&] {
      held = true;
      while (!made) std::this_thread::yield();
      victim.destroy();
      destroyed = true;
    });
  });
  EXPECT_TRUE(eventually([&] { return held.load(); }));
  victim = begin();
  made = true;
  shard.join();
  EXPECT_TRUE(destroyed);
}

TEST(GivenUp, AVerbThatItsShardHasNotSeenMayBeDestroyedInTheShardsThread) {
  EngineFixture host(one_shard());
  Running cat = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  std::atomic<bool> went_on = false;
  destroy_before_the_shard_sees_it(*host, [&] { return wait_alone(cat.process(), went_on); });
  cat.close_input();
  EXPECT_EQ(exit_code(cat.wait()), 0);
  EXPECT_FALSE(went_on);
}

OwnedFrame lose_a_race(nr::Engine& engine, nr::Process& process, std::atomic<bool>& went_on) {
  (void)co_await nr::when_any(process.exited(), engine.hop(1000));  // There is no such shard: refused at once.
  went_on = true;
}

TEST(GivenUp, AWhenAnyWhoseLosersWereNotAskedYetMayBeDestroyedInTheShardsThread) {
  EngineFixture host(one_shard());
  Running cat = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  std::atomic<bool> went_on = false;
  destroy_before_the_shard_sees_it(*host, [&] { return lose_a_race(*host, cat.process(), went_on); });
  cat.close_input();
  EXPECT_EQ(exit_code(cat.wait()), 0);
  EXPECT_FALSE(went_on);
}

/// A command that says "first" when the folder says go, and "second" after a line of input.
struct Speaker {
  Speaker(EngineFixture& host, const TempFolder& folder, const std::string& name)
      : said(folder / name),
        running(host.spawn(sh("while [ ! -e " + (folder / "go") + " ]; do sleep 0.01; done; echo first; : >" + said +
                              "; read x; echo second")
                               .in(nr::Stdio::pipe()))),
        lines(running.process(), nr::Stream::out) {}
  std::string said;
  Running running;
  std::optional<nr::Reader> reader;
  nr::LineReader lines;
};

/// The ways to read.
enum class By { read, piece, any, reader, line };

OwnedFrame read_once(Rivals& rivals, int which, Speaker& speaker, By by) {
  nr::Process& process = speaker.running.process();
  if (by == By::read) (void)co_await process.read();
  if (by == By::piece) (void)co_await process.read(nr::Stream::out, 2);
  if (by == By::any) (void)co_await process.read_any();
  if (by == By::reader) (void)co_await speaker.reader->read();
  if (by == By::line) (void)co_await speaker.lines.next();
  rivals.has_gone_on(which);
}

std::string rest_of(Speaker& speaker, By by) {
  std::string text;
  if (by == By::line) {
    while (auto line = value_of(nr::blocking::next(speaker.lines, verb_deadline()))) text.append(line->text) += '\n';
    return text;
  }
  if (by != By::reader) return speaker.running.read_all();
  while (auto chunk = value_of(nr::blocking::get(speaker.reader->read(), verb_deadline()))) text += chunk->text();
  return text;
}

class GivenUpRead : public testing::TestWithParam<By> {};

TEST_P(GivenUpRead, LeavesItsBytesToTheNextOne) {
  EngineFixture host(one_shard());
  const TempFolder folder;
  std::array<Speaker, 2> speakers{Speaker(host, folder, "a"), Speaker(host, folder, "b")};
  Rivals rivals;
  for (int n = 0; n < 2; ++n) {
    Speaker& speaker = speakers[static_cast<std::size_t>(n)];
    if (GetParam() == By::reader) speaker.reader.emplace(value_of(nr::blocking::get(speaker.running.process().take())));
    rivals.frames[static_cast<std::size_t>(n)] = read_once(rivals, n, speaker, GetParam());
  }
  {
    on_shard(*host, [] {});  // Both reads wait there.
    BusyShard busy(*host);
    write_file(folder / "go", "");
    for (const Speaker& speaker : speakers) {
      EXPECT_TRUE(eventually([&] { return std::filesystem::exists(speaker.said); }));
    }
  }
  ASSERT_TRUE(eventually([&] { return rivals.resumed == 1; }));
  Speaker& silenced = speakers[static_cast<std::size_t>(1 - rivals.first)];
  EXPECT_EQ(silenced.running.held_bytes(), 6U) << "they are held once, as before";
  silenced.running.write("\n");
  EXPECT_EQ(rest_of(silenced, GetParam()), "first\nsecond\n");
  EXPECT_EQ(exit_code(silenced.running.wait()), 0);
  EXPECT_TRUE(eventually([&] { return silenced.running.held_bytes() == 0; }));
}

INSTANTIATE_TEST_SUITE_P(Ways, GivenUpRead, testing::Values(By::read, By::piece, By::any, By::reader, By::line));

OwnedFrame take_once(Rivals& rivals, int which, nr::Process& process) {
  (void)co_await process.take(nr::Stream::out);
  rivals.has_gone_on(which);
}

TEST(GivenUp, ATakeThatIsDoneLeavesTheStreamToTheProcess) {
  EngineFixture host(one_shard());
  std::array<Running, 2> echoes{host.spawn(nr::Command("echo", "text")), host.spawn(nr::Command("echo", "text"))};
  Rivals rivals;
  {
    BusyShard busy(*host);
    for (int n = 0; n < 2; ++n) {
      const auto at = static_cast<std::size_t>(n);
      rivals.frames[at] = take_once(rivals, n, echoes[at].process());
    }
  }
  ASSERT_TRUE(eventually([&] { return rivals.resumed == 1; }));
  EXPECT_EQ(echoes[static_cast<std::size_t>(1 - rivals.first)].read_all(), "text\n");
}

}  // namespace
}  // namespace tests
