#pragma once
/// Several things under way at once: all of them, the first of them, or one of them until a deadline.

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <netrunner/awaitable.hpp>
#include <netrunner/deadline.hpp>
#include <netrunner/error.hpp>
#include <netrunner/task.hpp>

namespace netrunner {

namespace detail {

/// Counts the parts of a whole that end in any thread.
class Join {
 public:
  explicit Join(std::size_t parts) noexcept : left_(parts) {}
  void expect(std::size_t more) {
    const std::lock_guard guard(mutex_);
    left_ += more;
  }
  /// True: that was the last one, and the caller goes on for all. Nothing of the whole may be touched otherwise.
  [[nodiscard]] bool count_down() {
    const std::lock_guard guard(mutex_);
    return --left_ == 0;
  }
  std::coroutine_handle<> waiter;  ///< Written before the first part begins.

 private:
  std::mutex mutex_;
  std::size_t left_;
};

/// One part of when_all: a coroutine of its own.
class Part {
 public:
  struct promise_type {
    struct Final {
      [[nodiscard]] bool await_ready() const noexcept { return false; }
      [[nodiscard]] std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> ended) const noexcept {
        Join& join = *ended.promise().join;
        const std::coroutine_handle<> waiter = join.waiter;
        return join.count_down() ? waiter : std::noop_coroutine();
      }
      void await_resume() const noexcept {}
    };
    template <class... Rest>
    explicit promise_type(Join& whole, Rest&...) noexcept : join(&whole) {}
    [[nodiscard]] Part get_return_object() noexcept {
      return Part(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] Final final_suspend() const noexcept { return {}; }
    [[noreturn]] void unhandled_exception() const noexcept { std::abort(); }
    void return_void() const noexcept {}
    Join* join;
  };

  Part(Part&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Part& operator=(Part&&) = delete;
  ~Part() {
    if (handle_) handle_.destroy();
  }
  void begin() const { handle_.resume(); }

 private:
  explicit Part(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

/// What co_await gives, as a value: std::monostate for nothing.
template <class Item>
using AwaitedOf = decltype(std::declval<Item&>().await_resume());
template <class Item>
using ValueOf = std::conditional_t<std::is_void_v<AwaitedOf<Item>>, std::monostate, AwaitedOf<Item>>;

template <class Item>
Part run_part(Join&, Item& item, std::optional<ValueOf<Item>>& value) {
  if constexpr (std::is_void_v<AwaitedOf<Item>>) {
    co_await item;
    value.emplace();
  } else {
    value.emplace(co_await item);
  }
}

/// Begins all parts and waits for the last.
class AllParts {
 public:
  AllParts(Join& join, std::span<Part> parts) noexcept : join_(join), parts_(parts) {}
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  [[nodiscard]] bool await_suspend(std::coroutine_handle<> waiter) {
    join_.waiter = waiter;
    for (Part& part : parts_) part.begin();
    return !join_.count_down();  // One count is ours, so that nobody goes on while parts begin.
  }
  void await_resume() const noexcept {}

 private:
  Join& join_;
  std::span<Part> parts_;
};

/// Verbs of which the first that is done takes the others back. A verb is taken back by its own shard, so that shards
/// never wait for one another.
class Race {
 public:
  /// A verb of the race, and the letter that takes it back. It stays where it is from the start to the end.
  struct Contender : Letter {
    Race* race = nullptr;
    Verb* verb = nullptr;
    bool started = false, ended = false;
    bool asked = false;  ///< To be taken back, from before the letter is handed over until it is opened.
  };
  Race() = default;
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;
  /// Its frame may go while it waits: letters that were not opened are taken out of the post.
  ~Race();
  /// True: the waiter is suspended, and resumed by the last of them.
  [[nodiscard]] bool begin(std::span<Contender> contenders, std::coroutine_handle<> waiter);
  [[nodiscard]] std::size_t first() const noexcept { return first_; }

 private:
  static constexpr std::size_t none = SIZE_MAX;
  [[nodiscard]] bool may_start(Contender& contender);
  void note_end(Contender& contender);
  void ask_losers();
  [[nodiscard]] std::vector<Contender*> losers();
  void count_down();

  std::mutex mutex_;
  Join join_{1};  // One count is begin()'s own, so that nobody goes on meanwhile.
  std::span<Contender> contenders_;
  std::size_t first_ = none;
  bool starting_ = true, asked_ = false;
};

/// Hands a letter to the verb's shard, where `take_back_here` may be called from it.
void deliver_beside(Verb& verb, Letter& letter);
/// On the thread of the verb's shard: a letter that was handed to it will not be opened.
void take_from_post(Verb& verb, Letter& letter) noexcept;
/// Completes the verb with `cancelled`, if it is still under way.
void take_back_here(Verb& verb) noexcept;
/// A verb that is done at `until_ns` (CLOCK_MONOTONIC), in the shard of `beside`.
[[nodiscard]] Awaitable<void> timer_beside(Verb& beside, std::int64_t until_ns);
[[nodiscard]] Error another_was_first();

/// The result of a verb of a race that is over.
template <class T>
[[nodiscard]] Result<T> outcome_of(Awaitable<T>& verb, bool started) {
  if (!started) return std::unexpected(another_was_first());
  return verb.await_resume();
}

}  // namespace detail

namespace detail {

template <class... Items, std::size_t... Is>
std::array<Part, sizeof...(Items)> parts_of(Join& join, std::tuple<Items...>& items,
                                            std::tuple<std::optional<ValueOf<Items>>...>& values,
                                            std::index_sequence<Is...>) {
  return {run_part(join, std::get<Is>(items), std::get<Is>(values))...};
}

template <class... Items>
Task<std::tuple<ValueOf<Items>...>> all_of(std::tuple<Items...> items) {
  Join join(sizeof...(Items) + 1);
  std::tuple<std::optional<ValueOf<Items>>...> values;
  {
    auto parts = parts_of(join, items, values, std::index_sequence_for<Items...>());
    co_await AllParts(join, parts);
  }
  co_return std::apply([](auto&... value) { return std::tuple<ValueOf<Items>...>(std::move(*value)...); }, values);
}

}  // namespace detail

/// `auto [log, ended] = co_await when_all(read_log(process), process.wait());` runs any awaitables side by side and
/// gives all their values, std::monostate for those that have none. Resumes in the thread of whichever ends last.
/// Destroyed while it waits: as a Task is, with each of its parts.
template <class... Items>
  requires(sizeof...(Items) > 0)
[[nodiscard]] Task<std::tuple<detail::ValueOf<Items>...>> when_all(Items... items) {
  return detail::all_of(std::tuple<Items...>(std::move(items)...));
}

/// The same for any number of one kind: the values in the order of the items.
template <class Item>
[[nodiscard]] Task<std::vector<detail::ValueOf<Item>>> when_all(std::vector<Item> items) {
  detail::Join join(items.size() + 1);
  std::vector<std::optional<detail::ValueOf<Item>>> values(items.size());
  {
    std::vector<detail::Part> parts;
    parts.reserve(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) parts.push_back(detail::run_part(join, items[i], values[i]));
    co_await detail::AllParts(join, parts);
  }
  std::vector<detail::ValueOf<Item>> all;
  all.reserve(values.size());
  for (auto& value : values) all.push_back(std::move(*value));
  co_return all;
}

/// Which verb was done first, and what became of each: a verb that was taken back has the error `cancelled`, one that
/// was done at the same moment its value. Nothing is lost.
template <class... Ts>
struct FirstOf {
  std::size_t index = 0;
  std::tuple<Result<Ts>...> results;
};
template <class T>
struct FirstOfMany {
  std::size_t index = 0;  ///< Of `results`; 0 where there are none.
  std::vector<Result<T>> results;
};

namespace detail {

template <class... Ts>
class AnyOf {
 public:
  explicit AnyOf(Awaitable<Ts>... verbs) : verbs_(std::move(verbs)...) {}
  AnyOf(AnyOf&& other) noexcept : verbs_(std::move(other.verbs_)) {}
  AnyOf& operator=(AnyOf&&) = delete;
  ~AnyOf() = default;
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  [[nodiscard]] bool await_suspend(std::coroutine_handle<> waiter) {
    std::size_t next = 0;
    std::apply([&](auto&... verb) { ((contenders_[next++].verb = &verb), ...); }, verbs_);
    return race_.begin(contenders_, waiter);
  }
  [[nodiscard]] FirstOf<Ts...> await_resume() { return results(std::index_sequence_for<Ts...>()); }

 private:
  template <std::size_t... Is>
  [[nodiscard]] FirstOf<Ts...> results(std::index_sequence<Is...>) {
    return {race_.first(), std::tuple<Result<Ts>...>{outcome_of(std::get<Is>(verbs_), contenders_[Is].started)...}};
  }
  std::tuple<Awaitable<Ts>...> verbs_;
  std::array<Race::Contender, sizeof...(Ts)> contenders_{};
  Race race_;
};

template <class T>
class AnyOfMany {
 public:
  explicit AnyOfMany(std::vector<Awaitable<T>> verbs) : verbs_(std::move(verbs)), contenders_(verbs_.size()) {}
  AnyOfMany(AnyOfMany&& other) noexcept
      : verbs_(std::move(other.verbs_)), contenders_(std::move(other.contenders_)) {}
  AnyOfMany& operator=(AnyOfMany&&) = delete;
  ~AnyOfMany() = default;
  [[nodiscard]] bool await_ready() const noexcept { return verbs_.empty(); }
  [[nodiscard]] bool await_suspend(std::coroutine_handle<> waiter) {
    for (std::size_t i = 0; i < verbs_.size(); ++i) contenders_[i].verb = &verbs_[i];
    return race_.begin(contenders_, waiter);
  }
  [[nodiscard]] FirstOfMany<T> await_resume() {
    FirstOfMany<T> all{verbs_.empty() ? 0 : race_.first(), {}};
    for (std::size_t i = 0; i < verbs_.size(); ++i) {
      all.results.push_back(outcome_of(verbs_[i], contenders_[i].started));
    }
    return all;
  }

 private:
  std::vector<Awaitable<T>> verbs_;
  std::vector<Race::Contender> contenders_;
  Race race_;
};

}  // namespace detail

/// `auto [first, results] = co_await when_any(a.wait(), b.wait(), engine.sleep(5s));` starts the verbs, and takes the
/// others back when one is done. (A Task has no point at which it could be taken back: give it a std::stop_token.)
/// Resumes in a thread of one of their shards. May be destroyed while it waits only where all are of one shard, in that
/// shard's thread.
template <class... Ts>
[[nodiscard]] detail::AnyOf<Ts...> when_any(Awaitable<Ts>... verbs) {
  return detail::AnyOf<Ts...>(std::move(verbs)...);
}
template <class T>
[[nodiscard]] detail::AnyOfMany<T> when_any(std::vector<Awaitable<T>> verbs) {
  return detail::AnyOfMany<T>(std::move(verbs));
}

/// The verb's result, or `timed_out` when the deadline comes first: then the verb was taken back, and what it was about
/// is as it was before (a spawn that was under way is stopped).
template <class T>
[[nodiscard]] Task<Result<T>> with_deadline(Awaitable<T> verb, Deadline deadline) {
  Awaitable<void> timer = detail::timer_beside(verb, deadline.monotonic_ns());
  auto first = co_await when_any(std::move(verb), std::move(timer));
  Result<T> result = std::move(std::get<0>(first.results));
  if (first.index == 0 || result || result.error().code != ErrorCode::cancelled) co_return result;
  if (auto& rung = std::get<1>(first.results); !rung) co_return std::unexpected(std::move(rung).error());
  co_return std::unexpected(Error{ErrorCode::timed_out, Stage::none, 0, "the verb", "its deadline passed"});
}

}  // namespace netrunner
