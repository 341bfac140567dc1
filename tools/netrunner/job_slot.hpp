#pragma once
/// A place in which one job runs at a time.

#include <coroutine>
#include <cstdint>
#include <mutex>

#include <netrunner/process.hpp>

namespace netrunner::tool {

/// Owner: JobRunner. Its coroutine enters and leaves; stop() and signal() come from any other thread.
class JobSlot {
 public:
  enum class Urgency : std::uint8_t { none, ladder, at_once };

  explicit JobSlot(std::uint32_t number) : number_(number) {}
  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }  ///< From 0.

  /// The process must stay where it is until `co_await leave()` is over. Stopped already: so is this one.
  void enter(Process& process);
  void stop(Urgency urgency);
  [[nodiscard]] bool is_stopped();
  /// To its group; blocks until it is sent.
  void signal(int number);

  /// Done when nobody uses the process any more.
  class Leave {
   public:
    explicit Leave(JobSlot& slot) : slot_(slot) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    [[nodiscard]] bool await_suspend(std::coroutine_handle<> leaving) { return slot_.wait_for_users(leaving); }
    void await_resume() const noexcept {}

   private:
    JobSlot& slot_;
  };
  [[nodiscard]] Leave leave() { return Leave(*this); }

 private:
  [[nodiscard]] bool wait_for_users(std::coroutine_handle<> leaving);
  static void order(const Process& process, Urgency urgency);

  const std::uint32_t number_;
  std::mutex mutex_;
  Process* process_ = nullptr;
  Urgency urgency_ = Urgency::none;
  int users_ = 0;
  std::coroutine_handle<> leaving_;
};

}  // namespace netrunner::tool
