#pragma once
/// The items of `netrunner each`, one after the other.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tools/netrunner/options.hpp"

namespace netrunner::tool {

/// From a list, or from a descriptor that is read only as far as items are asked for.
/// Owner: each_command. Thread: the one that asks; interrupt() any.
class ItemSource {
 public:
  /// No argument may be longer on Linux (MAX_ARG_STRLEN, see execve(2), with the NUL at its end), so no item can be of
  /// use that is: of a longer one next() gives a byte more than that.
  static constexpr std::size_t item_bytes_max = std::size_t{128} * 1024 - 1;

  explicit ItemSource(std::vector<std::string> list);
  ItemSource(int fd, char separator);
  ~ItemSource();
  ItemSource(const ItemSource&) = delete;
  ItemSource& operator=(const ItemSource&) = delete;

  /// No value: there are no more. Blocks while the descriptor has nothing. A last item needs no separator.
  [[nodiscard]] Checked<std::optional<std::string>> next();
  /// How many of a list next() has not given.
  [[nodiscard]] std::size_t left() const noexcept { return list_.size() - list_at_; }
  /// next() gives no more, and returns where it waits.
  void interrupt();

 private:
  [[nodiscard]] Checked<bool> fill();
  [[nodiscard]] Checked<std::optional<std::string>> cut_item();

  std::vector<std::string> list_;
  std::size_t list_at_ = 0;
  int fd_ = -1;
  int interrupt_fd_ = -1;
  char separator_ = '\n';
  bool ended_ = false;
  std::string buffer_;
  std::size_t buffer_at_ = 0;
};

}  // namespace netrunner::tool
