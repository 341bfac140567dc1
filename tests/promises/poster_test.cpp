/// A thread that hands something to an engine is held up by the scheduler in the middle of it: the engine may end
/// meanwhile, and nothing of it is touched afterwards.

#include <array>
#include <atomic>
#include <cstddef>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <optional>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"

namespace tests {
namespace {

/// The calling thread's next write(2) of eight bytes (that of an eventfd) stands still until it is let go: seccomp(2),
/// SECCOMP_RET_USER_NOTIF. -1: it can't be had here.
int hold_writes_of_this_thread() {
  std::array<sock_filter, 6> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args) + 2 * sizeof(std::uint64_t)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, sizeof(std::uint64_t), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  sock_fprog filter{program.size(), program.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter));
}

/// A thread that drops a chunk and is held before it wakes the engine.
class HeldPoster {
 public:
  explicit HeldPoster(nr::Chunk chunk)
      : thread_([this, dropped = std::optional(std::move(chunk))]() mutable {
          listener_ = hold_writes_of_this_thread();
          dropped.reset();
          gone_ = true;
        }) {}
  HeldPoster(const HeldPoster&) = delete;
  HeldPoster& operator=(const HeldPoster&) = delete;
  ~HeldPoster() {
    thread_.join();
    if (listener_ >= 0) close(listener_);
  }
  /// True: it stands in the write. False: the engine was awake, or this can't be had.
  [[nodiscard]] bool is_held() {
    if (!eventually([this] { return listener_ != unknown; })) return false;
    pollfd asked{listener_, POLLIN, 0};
    while (listener_ >= 0 && !gone_) {
      if (poll(&asked, 1, 1) == 1) return ioctl(listener_, SECCOMP_IOCTL_NOTIF_RECV, &notification_) == 0;
    }
    return false;
  }
  [[nodiscard]] bool is_possible() const { return listener_ >= 0; }
  /// Where it is about to write.
  [[nodiscard]] int descriptor() const { return static_cast<int>(notification_.data.args[0]); }
  void let_go() {
    seccomp_notif_resp answer{.id = notification_.id, .val = 0, .error = 0, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    EXPECT_EQ(ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &answer), 0);
  }

 private:
  static constexpr int unknown = -2;
  std::atomic<int> listener_ = unknown;
  std::atomic<bool> gone_ = false;
  seccomp_notif notification_{};
  std::thread thread_;
};

/// A round in which the engine slept when the chunk was dropped. False: it was awake, try again.
bool drop_while_the_engine_goes() {
  nr::EngineOptions options;
  options.shards = 1;
  std::optional<EngineFixture> host(options);
  std::optional<Running> echo(host->spawn(nr::Command("echo", "text")));
  nr::Chunk chunk = *echo->read();
  EXPECT_EQ(exit_code(echo->wait()), 0);
  echo.reset();
  nr::start_detached([](nr::Engine& engine) -> nr::Task<void> { (void)co_await engine.sleep(50ms); }(**host));
  HeldPoster poster(std::move(chunk));
  if (!poster.is_held()) return !poster.is_possible();
  std::atomic<bool> ended = false;
  std::thread end([&] {
    host.reset();
    ended = true;
  });
  // The sleeper wakes the engine, which takes the chunk and could go.
  const bool waits = bool(remains([&] { return !ended; }, patience(500ms)));
  std::array<int, 2> stranger{-1, -1};
  if (!waits) {
    EXPECT_EQ(pipe2(stranger.data(), O_CLOEXEC | O_NONBLOCK), 0);
    EXPECT_EQ(dup3(stranger[1], poster.descriptor(), O_CLOEXEC), poster.descriptor());
  }
  poster.let_go();
  end.join();
  if (waits) return true;
  EXPECT_FALSE(eventually([&] {
    pollfd written{stranger[0], POLLIN, 0};
    return poll(&written, 1, 0) == 1;
  }, 1s)) << "it wrote to a descriptor that is a stranger's now";
  for (const int fd : {stranger[0], stranger[1], poster.descriptor()}) close(fd);
  return true;
}

TEST(Poster, ThatIsHeldUpWhileTheEngineEndsTouchesNothingOfIt) {
  bool held = false;
  for (int round = 0; round < 50 && !held; ++round) held = drop_while_the_engine_goes();
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace tests
