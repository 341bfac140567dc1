#include "engine/daemon/supervisor.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <utility>

#include "engine/daemon/check.hpp"
#include "engine/daemon/instance_command.hpp"
#include "engine/daemon/quiet_thread.hpp"

namespace netrunner::detail {

Supervisor::Supervisor(Engine& engine, const Command& command, DaemonOptions options)
    : command_(daemon::prepared(command, options)),
      options_(std::move(options)),
      board_(options_.instances, command_.spec().program),
      hold_(engine.core()),
      engine_(&engine) {}

Result<std::shared_ptr<Supervisor>> Supervisor::open(Engine& engine, const Command& command, DaemonOptions options) {
  NR_TRY_VOID(daemon::check(options));
  std::shared_ptr<const daemon::LinePattern> awaited;
  if (options.ready.kind() == Ready::Kind::line) {
    NR_TRY(compiled, daemon::LinePattern::compile(options.ready.pattern()));
    awaited = std::move(compiled);
  }
  std::shared_ptr<Supervisor> supervisor(new Supervisor(engine, command, std::move(options)));
  supervisor->wake_ = daemon::Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!supervisor->wake_) return std::unexpected(system_error("an eventfd for a daemon"));
  NR_TRY(output, daemon::Output::open(supervisor->options_));
  supervisor->output_ = std::move(output);
  std::random_device random;
  for (std::uint32_t i = 0; i < supervisor->options_.instances; ++i) {
    supervisor->instances_.push_back(std::make_unique<daemon::Instance>(
        *supervisor, supervisor->command_, supervisor->options_, awaited, i, random()));
  }
  NR_TRY_VOID(supervisor->start());
  return supervisor;
}

Result<void> Supervisor::start() {
  daemon::Output::Listener listener;
  // Weak: the output lives in the supervisor, and its thread must not keep that alive.
  listener.on_match = [weak = weak_from_this()](std::uint32_t instance, std::uint64_t run) {
    if (const auto self = weak.lock()) {
      self->post([self = self.get(), instance, run] { self->instances_[instance]->line_matched(run); });
    }
  };
  listener.on_done = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->post([self = self.get()] { self->count_open(-1); });
  };
  NR_TRY_VOID(daemon::Output::start(output_, std::move(listener)));
  Result<void> started = daemon::start_quiet_thread([self = shared_from_this()] { self->keep_running(); });
  if (!started) output_->close();
  return started;
}

// -------------------------------------------------------------------------------------------------------- any thread

void Supervisor::post(std::function<void()> letter) {
  {
    const std::lock_guard guard(letters_mutex_);
    letters_.push_back(std::move(letter));
  }
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

void Supervisor::order_stop(std::optional<KillLadder> ladder) {
  post([this, ladder = std::move(ladder)] {
    for (const auto& instance : instances_) instance->order_stop(ladder);
  });
}

void Supervisor::order_restart(std::optional<std::uint32_t> instance) {
  post([this, instance] {
    if (dropped_) return;
    for (std::uint32_t i = 0; i < instances_.size(); ++i) {
      if (!instance || *instance == i) instances_[i]->order_restart();
    }
  });
}

void Supervisor::drop() {
  {
    const std::lock_guard guard(engine_mutex_);
    engine_ = nullptr;
  }
  post([this] {
    dropped_ = true;
    for (const auto& instance : instances_) {
      if (!instance->is_over()) instance->order_stop(std::nullopt);
    }
  });
}

DaemonStatus Supervisor::status() const {
  DaemonStatus status;
  status.instances = board_.instances();
  status.state = daemon::state_of(status.instances);
  status.log = output_->stats();
  return status;
}

void Supervisor::spawned(std::shared_ptr<daemon::Run> run) {
  post([this, run = std::move(run)] {
    count_open(static_cast<int>(run->streams.size()));
    instances_[run->instance]->run_spawned(*run);
  });
}

void Supervisor::start_failed(std::shared_ptr<daemon::Run> run, Error error) {
  post([this, run = std::move(run), error = std::move(error)] {
    instances_[run->instance]->start_failed(*run, error);
  });
}

void Supervisor::ended(std::shared_ptr<daemon::Run> run, Ended ended) {
  post([this, run = std::move(run), ended = std::move(ended)] {
    instances_[run->instance]->run_ended(*run, ended);
  });
}

void Supervisor::probed(std::uint32_t instance, std::uint64_t run, bool succeeded) {
  post([this, instance, run, succeeded] { instances_[instance]->probed(run, succeeded); });
}

// -------------------------------------------------------------------------------------------------------- its thread

void Supervisor::keep_running() {
  for (const auto& instance : instances_) instance->order_restart();
  while (!is_done()) {
    wait_for_something();
    open_letters();
    for (const auto& instance : instances_) instance->look();
  }
  output_->close();
}

bool Supervisor::is_done() const {
  return dropped_ && open_ == 0 &&
         std::ranges::all_of(instances_, [](const auto& instance) { return instance->is_over(); });
}

void Supervisor::wait_for_something() {
  watched_.assign(1, {.fd = wake_.get(), .events = POLLIN, .revents = 0});
  std::int64_t due_ns = INT64_MAX;
  for (const auto& instance : instances_) {
    instance->watch(watched_);
    due_ns = std::min(due_ns, instance->due_ns());
  }
  timespec left{};
  const std::int64_t left_ns = std::max<std::int64_t>(due_ns - Deadline::now_ns(), 0);
  left.tv_sec = left_ns / 1'000'000'000;
  left.tv_nsec = left_ns % 1'000'000'000;
  (void)::ppoll(watched_.data(), watched_.size(), due_ns == INT64_MAX ? nullptr : &left, nullptr);
  std::uint64_t count = 0;
  (void)!::read(wake_.get(), &count, sizeof count);
}

void Supervisor::open_letters() {
  std::vector<std::function<void()>> letters;
  {
    const std::lock_guard guard(letters_mutex_);
    letters.swap(letters_);
  }
  for (const auto& letter : letters) letter();
}

void Supervisor::spawn(std::shared_ptr<daemon::Run> run, const Command& command) {
  const std::lock_guard guard(engine_mutex_);
  if (engine_ == nullptr) {
    return start_failed(std::move(run), {ErrorCode::engine_closed, Stage::none, 0, command.spec().program,
                                         "its Daemon was dropped"});
  }
  std::stop_token taken_back = run->taken_back.get_token();
  daemon::follow(std::move(run), engine_->spawn(command, std::move(taken_back)), output_, shared_from_this());
}

void Supervisor::probe(const daemon::Run& run, const Command& command, std::stop_token taken_back) {
  const std::lock_guard guard(engine_mutex_);
  if (engine_ == nullptr) return;
  daemon::follow_probe(run.instance, run.number, engine_->spawn(command, std::move(taken_back)), shared_from_this());
}

void Supervisor::changed(const InstanceStatus& status, std::shared_ptr<daemon::Run> running) {
  if (output_->tell(status)) count_open(1);
  board_.set(status, std::move(running));
}

void Supervisor::count_open(int more) {
  open_ += more;
  board_.set_all_written(open_ == 0);
}

}  // namespace netrunner::detail
